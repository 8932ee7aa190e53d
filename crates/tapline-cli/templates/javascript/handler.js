// << description >>

import { Failure, plugin } from "tapline";

export default plugin({
  id: "<< id >>",
  version: "0.1.0",
  description: "<< description >>",
  capabilities: [<< capabilities >>],

  nodes: {
    "<< id >>": {
      schema: {
        type: "object",
        properties: { text: { type: "string", description: "What is counted." } },
        required: ["text"],
        additionalProperties: false,
      },
      run(context, request) {
        const { text, ...others } = request.with;
        if (typeof text !== "string" || Object.keys(others).length > 0) {
          throw new Failure("invalid-settings", `\`text\` and nothing else is known: ${JSON.stringify(request.with)}`);
        }
        const words = text.split(/\s+/).filter(Boolean);
        context.log("info", `${words.length} words`);
        const longest = words.reduce((longest, word) => (word.length > longest.length ? word : longest), "");
        return { words: words.length, longest };
      },
    },
  },
});
