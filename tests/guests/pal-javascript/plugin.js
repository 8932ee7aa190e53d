// A plugin that joins in where plugins in other languages do, and that does harm when it is told to.

import { Failure, plugin } from "tapline";

let name = "javascript";

function recurse() {
  return recurse() + 1;
}

export default plugin({
  id: "pal-javascript",
  version: "1.0.0",
  description: "Joins in where plugins in other languages do.",
  requires: { context: { read: ["input", "output"], write: ["input", "output"] } },

  init(config) {
    name = config.name ?? name;
  },

  hooks: {
    greet: {
      point: "greet",
      kind: "around",
      priority: 60,
      async run(context) {
        context.write("input", [...context.read("input"), `${name} in`]);
        await context.next();
        context.write("output", [...context.read("output"), `${name} out`]);
      },
    },
  },

  nodes: {
    "javascript-reverse": {
      schema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
      run: (_, { with: { text } }) => [...text].reverse().join(""),
    },
  },

  methods: {
    add: (_, numbers) => numbers.reduce((sum, number) => sum + number, 0),
    fail() {
      throw new Failure("on-purpose", "as it was asked to", { why: "a test" });
    },
    mistake: () => null.missing,
    time: () => Date.now(),
    loop() {
      for (;;);
    },
    recurse,
    descend() {
      let nested = [];
      for (let depth = 0; depth < 1_000_000; depth += 1) nested = [nested];
      return JSON.stringify(nested);
    },
    allocate() {
      const kept = [];
      for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
    },
    throw() {
      throw new Error("x".repeat(16 << 20));
    },
    async swallow() {
      for (;;) {
        try {
          await null;
          for (;;);
        } catch {
          // On it goes.
        }
      }
    },
  },
});
