// A host for unit tests, which holds a context in memory.

import { Failure } from "./failure.js";
import { Running } from "./running.js";

/** Holds a context, and notes what the plugin does. What it is not told, it fails with `denied`. */
export class FakeHost {
  constructor(context = {}) {
    this.context = context;
    this.inner = () => {};
    this.answers = new Map();
    this.pieces = new Map();
    this.logged = [];
    this.published = [];
    this.emitted = [];
    this.casts = [];
    this.files = new Map();
    this.exited = false;
    this.time = 0;
    this.isEntered = false;
  }

  get(path) {
    return path.split(".").reduce((value, key) => value?.[key], this.context);
  }

  getMany(paths) {
    return paths.map((path) => this.get(path));
  }

  set(path, value) {
    const way = path.split(".");
    const last = way.pop();
    const target = way.reduce((value, key) => (value[key] ??= {}), this.context);
    // As it would come out on the other side.
    target[last] = JSON.parse(JSON.stringify(value));
  }

  caller() {
    return null;
  }

  isGivenUp() {
    return false;
  }

  next() {
    if (this.isEntered) throw new Failure("already-called", "`next` has been called before");
    this.isEntered = true;
    this.inner(this.context);
  }

  isStreamed() {
    return true;
  }

  emit(piece) {
    this.emitted.push(piece);
  }

  log(level, message) {
    this.logged.push([level, message]);
  }

  exit() {
    this.exited = true;
  }

  call(target, method) {
    const key = `${target} ${method}`;
    if (!this.answers.has(key)) throw denied("call", target);
    return this.answers.get(key);
  }

  relay(target, method) {
    this.emitted.push(...(this.pieces.get(`${target} ${method}`) ?? []));
    return this.call(target, method);
  }

  sleep(milliseconds) {
    this.time += milliseconds * 1e6;
  }

  cast(target, method, request) {
    this.casts.push([target, method, request]);
  }

  publish(topic, payload) {
    this.published.push([topic, payload]);
    return 1;
  }

  readFile(path) {
    if (!this.files.has(path)) throw new Failure("no-such-file", `there is no file \`${path}\``);
    return this.files.get(path);
  }

  writeFile(path, content) {
    this.files.set(path, content);
  }

  appendFile(path, content) {
    this.files.set(path, Uint8Array.of(...(this.files.get(path) ?? []), ...content));
  }

  listFolder(path) {
    const folder = /[/:]$/.test(path) ? path : `${path}/`;
    const below = [...this.files].filter(([name]) => name.startsWith(folder)).sort();
    return below.map(([name, { length }]) => ({ name: name.slice(folder.length), kind: "file", size: length }));
  }

  removeFile(path) {
    this.readFile(path);
    this.files.delete(path);
  }

  now() {
    return this.time;
  }

  elapsed() {
    return this.time;
  }

  random(count) {
    return new Uint8Array(count);
  }

  httpSend({ url }) {
    throw denied("request", url);
  }

  httpOpen({ url }) {
    throw denied("request", url);
  }
}

/** Has a plugin answer one operation: `await ask(plugin, "around", "shout", new FakeHost({ input: "Ada" }))`. */
export async function ask(plugin, kind, name, host, { method = "handle", config = {} } = {}) {
  const input = host.context.input;
  host.context.input = config;
  const running = new Running(plugin, host);
  await running.init();
  host.context.input = input;
  return running.call({ kind, name, method });
}

function denied(action, target) {
  return new Failure("denied", `this test grants no ${action} of \`${target}\``);
}
