// Runs hook programs (JSON on standard input) with Tapable, and prints what came of each.
const { SyncBailHook, SyncHook, SyncWaterfallHook } = require("tapable");

const run = ({ kind, hooks, input }) => {
  const called = [];
  const tap = (hook, act) =>
    hooks.forEach((one, index) =>
      hook.tap({ name: `p${index}`, stage: one.stage }, (value) => {
        called.push(index);
        return act(one, value);
      }),
    );
  const answer = (one) => (one.does === "none" ? undefined : one.does.set);
  switch (kind) {
    case "order": {
      const hook = new SyncHook(["value"]);
      tap(hook, () => undefined);
      hook.call(input);
      return { value: null, called };
    }
    case "first": {
      const hook = new SyncBailHook(["value"]);
      tap(hook, answer);
      const value = hook.call(input);
      return { value: value === undefined ? "none" : value, called };
    }
    case "filter": {
      const hook = new SyncWaterfallHook(["value"]);
      tap(hook, (one, value) => (one.does.add === undefined ? answer(one) : (value ?? 0) + one.does.add));
      return { value: hook.call(input), called };
    }
  }
};

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => console.log(JSON.stringify(JSON.parse(text).map(run))));
