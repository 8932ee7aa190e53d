// What authors of Tapline plugins in JavaScript and TypeScript write against.

/** What JSON can express. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a function may answer with: at once, or in its own time. */
export type Answer<T> = T | PromiseLike<T>;

/** An error that a plugin returns on purpose, or that the host answers with. Any other that is thrown is a mistake in the
 * plugin: the call fails, and the instance is not used again. */
export class Failure extends Error {
  /** A short constant for programs. */
  readonly code: string;
  /** Details for programs. */
  readonly details: Json;
  constructor(code: string, message: string, details?: Json);
}

/** How a call goes on after a before hook. */
export type Flow = "proceed" | "finish";

export const Flow: {
  /** Inward, with the input as it now is. */
  readonly PROCEED: "proceed";
  /** Outward, with the output that the hook has set. */
  readonly FINISH: "finish";
};

/** What a plugin declared. */
export interface Plugin {
  readonly __plugin: unique symbol;
}

/** Makes a plugin of a declaration; a module exports it as its default. */
export function plugin(declaration: Declaration): Plugin;

/** What a plugin says of itself, in the words of the manifest. */
export interface Declaration {
  id: string;
  version: string;
  description?: string;
  authors?: string[];
  /** What it asks the host to be let do; anything absent is denied. */
  requires?: Requires;
  limits?: Limits;
  capabilities?: (string | { name: string; rank?: number; version?: string })[];
  dependsOn?: ({ id: string } | { capability: string })[];
  conflicts?: ({ id: string } | { capability: string })[];
  instances?: "pool" | "one";
  restart?: "permanent" | "transient" | "temporary";

  /** Makes an instance ready, or refuses. Runs once for each instance, before all else. */
  init?(config: any, context: Context): Answer<void>;
  /** Begins work, once for the plugin. */
  start?(context: Context): Answer<void>;
  /** Ends work, once for the plugin. */
  stop?(context: Context): Answer<void>;
  /** Says whether the plugin is well, by failing when it is not. */
  health?(context: Context): Answer<void>;
  /** Answers with all that another version is to know. */
  exportState?(context: Context): Answer<any>;
  /** Takes over what another version knew. */
  importState?(state: any, fromVersion: string, context: Context): Answer<void>;

  /** Hooks, by name. */
  hooks?: Record<string, Hook>;
  /** Handlers of nodes, by the type of node. */
  nodes?: Record<string, NodeHandler["run"] | NodeHandler>;
  /** Model providers, by name. */
  providers?: Record<string, Provider["complete"] | Provider>;
  /** Contributions to other extension points, by `point/key`: their functions, and what the manifest says besides. */
  provides?: Record<string, Contribution>;
  /** What other plugins call under the plugin's id. */
  methods?: Record<string, (context: Context, request: any) => Answer<any>>;
  /** Subscriptions to events, by name. */
  on?: Record<string, Subscription>;
  /** Answers what no other function does, for plugins whose manifest is written by hand; reads `input` and writes
   * `output` itself. */
  otherwise?(context: Context, operation: Operation): Answer<Flow | void>;
}

/** A hook. A before hook answers with a `Flow` or with nothing, a replace hook with the output, an answer hook with its
 * answer or with nothing for none, all others with nothing. */
export interface Hook {
  point: string;
  kind: "before" | "after" | "around" | "replace" | "answer";
  name?: string;
  /** Its place among the others of the point, from 0 (outermost) to 100. */
  priority?: number;
  when?: Record<string, string>;
  before?: string[];
  after?: string[];
  tags?: string[];
  onFailure?: "fail" | "skip";
  version?: string;
  /** For hooks of kind after. */
  on?: "success" | "error" | "always";
  /** For hooks of kind around. */
  repeats?: boolean;
  /** For hooks of kind replace. */
  overrides?: string[];
  optional?: boolean;
  run(context: Context): Answer<any>;
}

export interface NodeHandler {
  /** The JSON Schema of the node's configuration. */
  schema?: object;
  authority?: "caller" | "own";
  run(context: Context, request: NodeRequest): Answer<any>;
}

export interface Provider {
  schema?: object;
  authority?: "caller" | "own";
  complete(context: Context, request: CompletionRequest): Answer<Completion>;
}

export interface Contribution {
  schema?: object;
  authority?: "caller" | "own";
  [method: string]: unknown;
}

export interface Subscription {
  topic: string;
  name?: string;
  capacity?: number;
  overflow?: "drop-oldest" | "drop-newest";
  run(context: Context, event: Event): Answer<void>;
}

/** What a subscription brings: an event, or the word that some were lost because the queue was full. */
export interface Event {
  topic?: string;
  payload?: any;
  /** How many events were lost here. */
  missed?: number;
}

/** What a node handler is asked. */
export interface NodeRequest {
  /** The node's configuration, with its templates rendered. */
  with: any;
  /** The values that the configuration's expressions may name. */
  scope: Record<string, any>;
}

/** What a provider is asked. */
export interface CompletionRequest {
  prompt: string;
  system?: string;
  model?: string;
}

/** What a provider answers. */
export interface Completion {
  /** The model's answer: text, or a value where it answers with structure. */
  output: any;
  /** The model that answered. */
  model: string;
}

/** What the host asks of a plugin. */
export interface Operation {
  /** `start`, `stop`, `health`, `export-state`, `import-state`, `event`, `handle`, or the kind of a hook. */
  kind: string;
  name: string;
  /** What is asked of a contribution. */
  method: string;
}

export interface Requires {
  context?: { read?: string[]; write?: string[] };
  call?: string[];
  events?: { publish?: string[]; subscribe?: string[] };
  fs?: object[];
  clock?: "coarse" | "precise";
  random?: boolean;
  http?: object[];
  secrets?: object[];
}

export interface Limits {
  memory?: string;
  cpu?: string;
  wall?: string;
  calls?: number;
  input?: string;
  output?: string;
  log?: string;
  events?: number;
  handles?: number;
}

/** What a plugin reads, writes and asks for while it answers one call. Paths are dotted: `input.user.name`.
 *
 * In a sandbox everything answers at once, so nothing has to be awaited; what may take its time elsewhere can be. What goes
 * wrong is thrown as a `Failure`. */
export interface Context {
  /** The value at a path; `otherwise`, which is `null` unless said, when there is nothing. */
  read(path: string, otherwise?: any): any;
  /** The values at several paths, `null` where there is nothing, at the cost of one crossing. */
  readMany(...paths: string[]): any[];
  /** Whether there is a value at a path, be it `null`. */
  has(path: string): boolean;
  /** Puts a value at a path, creating objects on the way. */
  write(path: string, value: any): void;
  /** Runs what is inside an around hook; what comes out is then at `output`. Throws the inner error. */
  next(): void;
  /** Whether somebody reads the answer to this request while it is made. */
  isStreamed(): boolean;
  /** Gives a piece of the answer to whoever reads along, and waits until there is room for it. */
  emit(piece: any): void;
  /** The id of the plugin that makes the request; `null` for the application's own, and in a hook. */
  caller(): string | null;
  /** Whether nobody waits for the answer any more: long work can be left off. */
  isGivenUp(): boolean;
  /** Ends the plugin once the call has been answered: it is done, or cannot go on. */
  exit(error?: Failure): void;
  /** Calls another plugin and waits for its answer: `within` milliseconds at most, 5000 unless said. The target is
   * `point/key`, a plugin's id, or `capability:name`. */
  call(target: string, method: string, request?: any, options?: { within?: number }): any;
  /** As `call`, and passes the pieces of the answer on to whoever reads along with the plugin's own. */
  relay(target: string, method: string, request?: any, options?: { within?: number }): any;
  /** Waits so many milliseconds, and not longer than the call may take that the plugin is answering. */
  sleep(time: number): void;
  /** Calls another plugin and waits for nothing. */
  cast(target: string, method: string, request?: any): void;
  /** Publishes an event, and says how many subscriptions it was queued for. */
  publish(topic: string, payload?: any): number;
  /** Writes a line to the host's log. */
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
  /** All bytes of a file, under `requires.fs`: `scratch:/notes.txt`, `data:/in.csv`. */
  readFile(path: string): Uint8Array;
  /** Writes a file whole or not at all, and makes the folders on its way. */
  writeFile(path: string, content: Uint8Array | string): void;
  /** Adds to the end of a file, and makes it where there is none. */
  appendFile(path: string, content: Uint8Array | string): void;
  /** The files and folders in a folder, sorted by name. */
  listFolder(path: string): { name: string; kind: "file" | "folder"; size: number }[];
  /** Removes a file or an empty folder. */
  removeFile(path: string): void;
  /** The time, under `requires.clock`. */
  now(): Date;
  /** Milliseconds since the plugin was loaded, under `requires.clock`. */
  elapsed(): number;
  /** So many random bytes, good for keys, under `requires.random`; 64 KiB at most. */
  random(count: number): Uint8Array;
  /** Makes a request over http, under `requires.http`, and waits for all of its answer. In the value of a header,
   * `${secret:name}` stands for a secret under `requires.secrets`. */
  http(url: string, options?: HttpOptions): Response;
  /** As `http`, and waits for the begin of the answer alone. */
  httpStream(url: string, options?: HttpOptions): Stream;
}

export interface HttpOptions {
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  headers?: Record<string, string> | [string, string][];
  body?: Uint8Array | string;
  /** A body that is JSON. */
  json?: any;
  /** Milliseconds that it may take. */
  timeout?: number;
  /** Bytes that the body of the answer may have. */
  limit?: number;
}

/** The begin of an answer over http. */
export interface Head {
  status: number;
  /** The headers in the order of the answer, their names in lower case. */
  headers: [string, string][];
  /** The value of the first header of a name. */
  header(name: string): string | undefined;
}

export interface Response extends Head {
  body: Uint8Array;
  text(): string;
  json(): any;
  /** The same answer, if its status is from 200 to 299; throws a `Failure` of the code `http-status` otherwise. */
  done(): Response;
}

/** An answer whose body comes in pieces, within the call. */
export interface Stream extends Head {
  /** The next piece of the body; `null` at its end. */
  chunk(): Uint8Array | null;
  /** Reads no more of the body, which ends its request. */
  close(): void;
}
