import { Context } from "./context.js";
import { DECLARED } from "./declare.js";
import { Failure } from "./failure.js";

const LIFE = { start: "start", stop: "stop", health: "health" };

/** One instance of a plugin: it is made once, and then asked one operation after the other. */
export class Running {
  #declared;
  #host;
  #isReady = false;

  constructor(plugin, host) {
    this.#declared = plugin[DECLARED];
    this.#host = host;
  }

  async init() {
    const config = this.#host.get("input") ?? {};
    await this.#declared.life.init?.(config, new Context(this.#host));
    this.#isReady = true;
  }

  /** Answers one call, with how it goes on after a before hook. */
  async call(operation) {
    if (!this.#isReady) throw new Failure("not-active", "`init` has not run");
    const { kind, name, method } = operation;
    const { life, hooks, listeners, handlers } = this.#declared;
    const context = new Context(this.#host);
    const hook = hooks.get(name);
    const handler = kind === "handle" ? handlers.get(name)?.get(method) : undefined;
    if (kind in LIFE && life[kind]) await life[kind](context);
    else if (kind === "export-state" && life.exportState) context.write("output", await life.exportState(context));
    else if (kind === "import-state" && life.importState) await life.importState(context.read("input"), name, context);
    else if (kind === "event" && listeners.has(name)) await listeners.get(name)(context, context.read("input"));
    else if (handler) context.write("output", await handler(context, context.read("input")));
    else if (hook && hook.kind === kind) return answered(kind, name, await hook.run(context), context);
    else if (life.otherwise) return flow(name, await life.otherwise(context, operation));
    else if (!(kind in LIFE)) throw notDeclared(operation);
    return "proceed";
  }
}

function answered(kind, name, answer, context) {
  if (kind === "before") return flow(name, answer);
  if (kind === "replace" || (kind === "answer" && answer !== undefined)) context.write("output", answer);
  else if (answer !== undefined) {
    throw new TypeError(`hook \`${name}\` of kind ${kind} answers with nothing: write \`output\``);
  }
  return "proceed";
}

function flow(name, answer) {
  if (answer === undefined) return "proceed";
  if (answer === "proceed" || answer === "finish") return answer;
  throw new TypeError(`\`${name}\` answers with a \`Flow\` or with nothing, not with ${JSON.stringify(answer)}`);
}

function notDeclared({ kind, name, method }) {
  switch (kind) {
    case "export-state":
    case "import-state":
      return new Failure("no-state", "the plugin hands over no state");
    case "event":
      return new Failure("no-such-subscription", `there is no such subscription as \`${name}\``);
    case "handle":
      return new Failure("no-such-method", `\`${name}\` has no method \`${method}\``);
    default:
      return new Failure("no-such-hook", `there is no such hook as \`${name}\``);
  }
}
