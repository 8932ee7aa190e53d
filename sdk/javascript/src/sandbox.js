// Runs a plugin as a WebAssembly component, on what componentize-qjs makes of the contract. It is imported before the
// author's module, and is given the interfaces that the component has: those alone that its manifest asks for.

import { toLog } from "./confine.js";
import { Failure } from "./failure.js";
import { Running } from "./running.js";
import { drain } from "./tasks.js";

const ASKED_BY = {
  peers: "call: […]",
  events: "events: { publish: […] }",
  files: "fs: […]",
  clock: 'clock: "coarse"',
  random: "random: true",
  http: "http: […]",
};

// While the component is made, there is no log: what a module says when it is loaded is dropped.
toLog(() => {});

/** The exports of a component, by the names of their interfaces. */
export function component(plugin, imports) {
  const host = new Imports(imports);
  const running = new Running(plugin, host);
  toLog((level, message) => host.log(level, message));
  const call = (kind, name = "", method = "") => finished(host, () => running.call({ kind, name, method }));
  return {
    lifecycle: {
      init: () => void finished(host, () => running.init()),
      start: () => void call("start"),
      stop: () => void call("stop"),
    },
    before: { before: (hook) => call("before", hook) },
    after: { after: (hook) => void call("after", hook) },
    around: { around: (hook) => void call("around", hook) },
    replace: { replace: (hook) => void call("replace", hook) },
    answer: { answer: (hook) => void call("answer", hook) },
    listener: { event: (subscription) => void call("event", subscription) },
    handler: { handle: (contribution, method) => void call("handle", contribution, method) },
    health: { health: () => void call("health") },
    state: {
      exportState() {
        call("export-state");
        return json(host.get("output") ?? null);
      },
      importState: (_, fromVersion) => void call("import-state", fromVersion),
    },
  };
}

/** Runs a function to its end. Every import answers at once, so what is not done then waits for what cannot come. */
function finished(host, begin) {
  const task = begin();
  drain();
  const { state, value } = task.outcome;
  if (state === "fulfilled") return value;
  if (state === "pending") throw wire(new Failure("waits-for-nothing", "it awaits something that no host will bring"));
  if (value instanceof Failure) throw wire(value);
  host.log("error", told(value));
  // What is thrown and is no failure ends the instance.
  throw new Error("the instance has ended");
}

/** An error with the author's lines, as they are numbered in the author's files. */
function told(error) {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const places = globalThis.__tapline_places ?? [];
  const line = (frame) => {
    const at = /^\s*at (?:(.*?) )?\(?[^()]*?:(\d+)(?::\d+)?\)?$/.exec(frame);
    const place = at && places[at[2] - 1];
    return place && !place.startsWith("tapline/") ? `    at ${at[1] ?? "<anonymous>"} (${place})` : null;
  };
  const frames = String(error.stack ?? "").split("\n").map(line).filter(Boolean);
  const message = String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${told(error.cause)}`;
  return [message.length > 4000 ? `${message.slice(0, 4000)}…` : message, ...frames.slice(0, 30)].join("\n") + cause;
}

/** The host, reached through the imports of the contract. */
class Imports {
  #imports;

  constructor(imports) {
    this.#imports = imports;
  }

  #ask(name, ask) {
    const module = this.#imports[name];
    if (!module) {
      throw new Failure("denied", `the manifest does not ask for it: it would say \`requires: { ${ASKED_BY[name]} }\``);
    }
    try {
      return ask(module);
    } catch (error) {
      // The failure is the payload of what componentize-qjs throws.
      const failure = error?.payload;
      if (typeof failure?.code !== "string") throw error;
      throw new Failure(failure.code, failure.message, failure.details == null ? null : JSON.parse(failure.details));
    }
  }

  get(path) {
    return value(this.#ask("context", (context) => context.get(path)));
  }

  getMany(paths) {
    return this.#ask("context", (context) => context.getMany(paths)).map(value);
  }

  set(path, value) {
    this.#ask("context", (context) => context.set(path, json(value)));
  }

  caller() {
    return this.#ask("context", (context) => context.caller()) ?? null;
  }

  isGivenUp() {
    return this.#ask("context", (context) => context.isGivenUp());
  }

  next() {
    this.#ask("chain", (chain) => chain.next());
  }

  isStreamed() {
    return this.#ask("stream", (stream) => stream.isRead());
  }

  emit(piece) {
    this.#ask("stream", (stream) => stream.emit(json(piece)));
  }

  log(level, message) {
    this.#imports.log.log(level, message);
  }

  exit(error) {
    this.#ask("life", (life) => life.exit(error === null ? null : wire(error)));
  }

  call(target, method, request, within) {
    return JSON.parse(this.#ask("peers", (peers) => peers.call(target, method, json(request), within)));
  }

  relay(target, method, request, within) {
    return JSON.parse(this.#ask("peers", (peers) => peers.relay(target, method, json(request), within)));
  }

  sleep(milliseconds) {
    this.#ask("life", (life) => life.sleep(milliseconds));
  }

  cast(target, method, request) {
    this.#ask("peers", (peers) => peers.cast(target, method, json(request)));
  }

  publish(topic, payload) {
    return this.#ask("events", (events) => events.publish(topic, json(payload)));
  }

  readFile(path) {
    return new Uint8Array(this.#ask("files", (files) => files.read(path)));
  }

  writeFile(path, content) {
    this.#ask("files", (files) => files.write(path, content));
  }

  appendFile(path, content) {
    this.#ask("files", (files) => files.append(path, content));
  }

  listFolder(path) {
    return this.#ask("files", (files) => files.listFolder(path));
  }

  removeFile(path) {
    this.#ask("files", (files) => files.remove(path));
  }

  now() {
    return Number(this.#ask("clock", (clock) => clock.now()));
  }

  elapsed() {
    return Number(this.#ask("clock", (clock) => clock.monotonic()));
  }

  random(count) {
    return new Uint8Array(this.#ask("random", (random) => random.bytes(count)));
  }

  httpSend(request) {
    const answer = this.#ask("http", (http) => http.send(outgoing(request)));
    return { status: answer.status, headers: pairs(answer.headers), body: new Uint8Array(answer.body) };
  }

  httpOpen(request) {
    const head = this.#ask("http", (http) => http.open(outgoing(request)));
    return { status: head.status, headers: pairs(head.headers), body: head.body };
  }

  httpRead(body) {
    const piece = this.#ask("http", (http) => http.read(body));
    return piece == null ? null : new Uint8Array(piece);
  }

  httpClose(body) {
    this.#ask("http", (http) => http.close(body));
  }
}

function value(text) {
  return text == null ? undefined : JSON.parse(text);
}

function json(value) {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (error) {
    throw new Failure("wrong-type", `it cannot be expressed as JSON: ${error.message}`);
  }
}

function wire({ code, message, details = null }) {
  return { code: String(code), message: String(message), details: details === null ? null : json(details) };
}

function outgoing(request) {
  return { ...request, headers: request.headers.map(([name, value]) => ({ name, value: String(value) })) };
}

function pairs(headers) {
  return headers.map(({ name, value }) => [name, value]);
}
