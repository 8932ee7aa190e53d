// << description >>

import { Failure, plugin } from "tapline";

let prefix = "";

export default plugin({
  id: "<< id >>",
  version: "0.1.0",
  description: "<< description >>",
  capabilities: [<< capabilities >>],

  init(config) {
    prefix = config.prefix ?? prefix;
  },

  providers: {
    // A model server would be asked here, over `context.http`.
    "<< id >>"(context, request) {
      if (request.prompt.trim() === "") {
        throw new Failure("empty-prompt", "there is nothing to answer");
      }
      return { output: prefix + [...request.prompt].reverse().join(""), model: "backwards" };
    },
  },
});
