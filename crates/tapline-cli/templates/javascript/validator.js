// << description >>

import { Failure, plugin } from "tapline";

let longest = 1000;

export default plugin({
  id: "<< id >>",
  version: "0.1.0",
  description: "<< description >>",
  capabilities: [<< capabilities >>],
  requires: { context: { read: ["input.with.prompt"] } },

  init(config) {
    longest = config.longest ?? longest;
  },

  hooks: {
    // Before each node of type `chat`: a refusal here is the node's error, and no model is asked.
    check: {
      point: "node.execute",
      kind: "before",
      when: { type: "chat" },
      run(context) {
        const { length } = [...context.read("input.with.prompt")];
        if (length > longest) {
          throw new Failure("too-long", `the prompt has ${length} characters, and may have ${longest}`);
        }
      },
    },
  },
});
