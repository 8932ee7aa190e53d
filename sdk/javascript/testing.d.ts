import type { Flow, Plugin } from "./index.js";

/** A host for unit tests, which holds a context in memory. What it is not told, it fails with `denied`. */
export class FakeHost {
  constructor(context?: Record<string, any>);
  context: Record<string, any>;
  /** What is inside an around hook; it may change the context or throw. */
  inner: (context: Record<string, any>) => void;
  /** The answers of other plugins, by `target method`. */
  answers: Map<string, any>;
  /** The pieces of those that are passed on, by `target method`. */
  pieces: Map<string, any[]>;
  logged: [string, string][];
  published: [string, any][];
  emitted: any[];
  casts: [string, string, any][];
  files: Map<string, Uint8Array>;
  exited: boolean;
  /** Nanoseconds; waiting adds to them. */
  time: number;
}

/** Has a plugin answer one operation: `await ask(plugin, "around", "shout", new FakeHost({ input: "Ada" }))`. */
export function ask(
  plugin: Plugin,
  kind: string,
  name: string,
  host: FakeHost,
  options?: { method?: string; config?: any },
): Promise<Flow>;
