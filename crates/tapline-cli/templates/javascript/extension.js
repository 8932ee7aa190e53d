// << description >>

import { plugin } from "tapline";

export default plugin({
  id: "<< id >>",
  version: "0.1.0",
  description: "<< description >>",
  capabilities: [<< capabilities >>],
  requires: {
    clock: "coarse",
    context: { read: ["node"] },
    events: { publish: ["<< id >>.*"] },
  },

  hooks: {
    // Outside of most other hooks, around each node; the lower the priority, the further outside.
    watch: {
      point: "node.execute",
      kind: "around",
      priority: 10,
      run(context) {
        const node = context.read("node.id");
        const begun = context.elapsed();
        let state = "failed";
        try {
          context.next();
          state = "done";
        } finally {
          const took = Math.floor(context.elapsed() - begun);
          context.log("info", `${node}: ${state} after ${took} ms`);
          context.publish("<< id >>.node", { node, state });
        }
      },
    },
  },
});
