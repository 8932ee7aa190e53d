// What authors of Tapline plugins write against; `index.d.ts` says what each thing is.

export { Failure } from "./failure.js";
export { plugin } from "./declare.js";

/** How a call goes on after a before hook. */
export const Flow = Object.freeze({ PROCEED: "proceed", FINISH: "finish" });
