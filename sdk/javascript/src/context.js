import { Failure } from "./failure.js";

const MOST_RANDOM = 64 << 10;

/** What a plugin reads, writes and asks for while it answers one call; `index.d.ts` says what each thing does. */
export class Context {
  #host;

  constructor(host) {
    this.#host = host;
  }

  read(path, otherwise = null) {
    const value = this.#host.get(path);
    return value === undefined ? otherwise : value;
  }

  readMany(...paths) {
    return this.#host.getMany(paths).map((value) => value ?? null);
  }

  has(path) {
    return this.#host.get(path) !== undefined;
  }

  write(path, value) {
    this.#host.set(path, value ?? null);
  }

  next() {
    this.#host.next();
  }

  isStreamed() {
    return this.#host.isStreamed();
  }

  emit(piece) {
    this.#host.emit(piece ?? null);
  }

  caller() {
    return this.#host.caller();
  }

  isGivenUp() {
    return this.#host.isGivenUp();
  }

  exit(error) {
    this.#host.exit(error ?? null);
  }

  call(target, method, request = null, { within } = {}) {
    return this.#host.call(target, method, request, milliseconds(within));
  }

  relay(target, method, request = null, { within } = {}) {
    return this.#host.relay(target, method, request, milliseconds(within));
  }

  sleep(time) {
    this.#host.sleep(milliseconds(time));
  }

  cast(target, method, request = null) {
    this.#host.cast(target, method, request);
  }

  publish(topic, payload = null) {
    return this.#host.publish(topic, payload);
  }

  log(level, message) {
    this.#host.log(level, String(message));
  }

  readFile(path) {
    return this.#host.readFile(path);
  }

  writeFile(path, content) {
    this.#host.writeFile(path, bytes(content));
  }

  appendFile(path, content) {
    this.#host.appendFile(path, bytes(content));
  }

  listFolder(path) {
    return this.#host.listFolder(path);
  }

  removeFile(path) {
    this.#host.removeFile(path);
  }

  now() {
    return new Date(Math.floor(this.#host.now() / 1e6));
  }

  elapsed() {
    return this.#host.elapsed() / 1e6;
  }

  random(count) {
    if (!(count >= 0 && count <= MOST_RANDOM)) {
      throw new Failure("too-large", `${count} random bytes are more than the ${MOST_RANDOM} that can be had at once`);
    }
    return this.#host.random(count);
  }

  http(url, options = {}) {
    return new Response(this.#host.httpSend(request(url, options)));
  }

  httpStream(url, options = {}) {
    return new Stream(this.#host, this.#host.httpOpen(request(url, options)));
  }
}

class Answer {
  constructor({ status, headers }) {
    this.status = status;
    this.headers = headers;
  }

  header(name) {
    return this.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
  }
}

class Response extends Answer {
  constructor(answer) {
    super(answer);
    this.body = answer.body;
  }

  text() {
    return text(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new Failure("wrong-type", error.message);
    }
  }

  done() {
    if (this.status >= 200 && this.status < 300) return this;
    throw new Failure("http-status", `the server answered with status ${this.status}`, { status: this.status });
  }
}

class Stream extends Answer {
  #host;
  #body;

  constructor(host, head) {
    super(head);
    this.#host = host;
    this.#body = head.body;
  }

  chunk() {
    return this.#host.httpRead(this.#body);
  }

  close() {
    this.#host.httpClose(this.#body);
  }
}

function request(url, { method, headers = {}, body = "", json, timeout, limit = null }) {
  const pairs = Array.isArray(headers) ? [...headers] : Object.entries(headers);
  if (json !== undefined) pairs.push(["content-type", "application/json"]);
  const content = bytes(json === undefined ? body : JSON.stringify(json));
  return {
    method: method ?? (content.length > 0 ? "POST" : "GET"),
    url,
    headers: pairs,
    body: content,
    timeoutMilliseconds: milliseconds(timeout),
    limit,
  };
}

function milliseconds(time) {
  return time === undefined ? null : Math.max(0, Math.round(time));
}

/** Text as UTF-8; the sandbox has no `TextEncoder`. */
export function bytes(content) {
  if (typeof content !== "string") return new Uint8Array(content);
  const escaped = encodeURIComponent(content.toWellFormed());
  return Uint8Array.from(unescape(escaped), (character) => character.charCodeAt(0));
}

/** UTF-8 as text; what is none is replaced. */
export function text(content) {
  let out = "";
  for (let at = 0; at < content.length; ) {
    const length = content[at] < 0x80 ? 1 : content[at] < 0xe0 ? 2 : content[at] < 0xf0 ? 3 : 4;
    const part = Array.from(content.subarray(at, at + length), (byte) => `%${byte.toString(16).padStart(2, "0")}`);
    try {
      out += decodeURIComponent(part.join(""));
      at += length;
    } catch {
      out += "\ufffd";
      at += 1;
    }
  }
  return out;
}
