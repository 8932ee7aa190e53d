// Makes of what a sandbox has not, an error that says what to use instead.
//
// A component imports nothing but the contract: there is no clock behind `Date.now()`. Such a call would end the instance
// without a word, so what reaches for it is replaced before the author's module is run.

import { Failure } from "./failure.js";
import { Task, later } from "./tasks.js";

const CLOCK = "a sandboxed plugin has no clock of its own: use `context.now()` or `context.elapsed()`";
const RANDOM = "a sandboxed plugin has no source of random numbers: use `context.random()`";
const WAIT = "a sandboxed plugin cannot wait by itself: use `context.sleep()`";
const NETWORK = "a sandboxed plugin has no network: use `context.http()`";

function refusing(message) {
  return () => {
    throw new Failure("not-available", message);
  };
}

function confine() {
  const RealDate = Date;
  const noClock = refusing(CLOCK);
  const moment = new Proxy(RealDate, {
    apply: noClock,
    construct: (target, args, type) => (args.length === 0 ? noClock() : Reflect.construct(target, args, type)),
  });
  RealDate.now = noClock;
  RealDate.prototype.constructor = moment;
  globalThis.Date = moment;
  globalThis.performance = { now: noClock };
  Math.random = refusing(RANDOM);
  globalThis.crypto = { getRandomValues: refusing(RANDOM), randomUUID: refusing(RANDOM) };
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) globalThis[name] = refusing(WAIT);
  globalThis.fetch = refusing(NETWORK);
  globalThis.Promise = Task;
  globalThis.queueMicrotask = later;
}

/** Sends what is said to `console` to the host's log. */
export function toLog(log) {
  const at = (level) => (...values) => log(level, values.map(shown).join(" "));
  const [debug, info, warn, error] = ["debug", "info", "warn", "error"].map(at);
  const assert = (holds, ...values) => void (holds || error("assertion failed", ...values));
  globalThis.console = { assert, debug, trace: debug, log: info, table: info, info, warn, error };
}

function shown(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value}\n${value.stack ?? ""}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

confine();
