// << description >>

import { Failure, plugin } from "tapline";

export default plugin({
  id: "<< id >>",
  version: "0.1.0",
  description: "<< description >>",
  capabilities: [<< capabilities >>],
  dependsOn: [{ id: "echo" }],
  requires: { call: ["provider/echo"] },

  nodes: {
    // Brings another plugin into a node of its own: here a provider, which it calls once for each text.
    "<< id >>": {
      schema: {
        type: "object",
        properties: {
          texts: {
            type: "array",
            items: { type: "string" },
            description: "What is asked, one after the other.",
          },
        },
        required: ["texts"],
        additionalProperties: false,
      },
      run(context, request) {
        const { texts } = request.with;
        if (!Array.isArray(texts)) {
          throw new Failure("invalid-settings", "`texts` is not a list");
        }
        return texts.map((prompt) => context.call("provider/echo", "complete", { prompt }).output);
      },
    },
  },
});
