import { plugin } from "tapline";

let longest = 40;

export default plugin({
  id: "slugs",
  version: "0.1.0",
  description: "Makes short names for addresses of titles.",
  requires: { context: { read: ["output"], write: ["output"] } },

  init(config) {
    longest = config.longest ?? longest;
  },

  nodes: {
    slug: {
      schema: { type: "object", required: ["title"], properties: { title: { type: "string" } } },
      run(context, request) {
        const plain = request.with.title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
        return plain.split(/[^a-z0-9]+/).filter(Boolean).join("-");
      },
    },
  },

  hooks: {
    shorten: {
      point: "node.execute",
      kind: "around",
      when: { type: "slug" },
      async run(context) {
        await context.next();
        context.write("output", context.read("output").slice(0, longest).replace(/-$/, ""));
      },
    },
  },
});
