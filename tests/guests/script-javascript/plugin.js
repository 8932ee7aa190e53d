// A plugin whose hooks do what its configuration says, so that the conformance suite can write both the manifest and what
// stands behind it: the same as `tests/guests/script`, which says what each step does.

import { Failure, Flow, plugin } from "tapline";

let hooks = {};
const notes = [];
let count = 0;

const steps = {
  input: (context, word) => add(context, "input", word),
  output: (context, word) => add(context, "output", word),
  set: (context, value) => context.write("output", value),
  double: (context) => context.write("output", context.read("output") * 2),
  next: (context) => context.next(),
  "next-or-not": (context) => retry(context, 1).catch(() => {}),
  retry,
  fail(_, code) {
    throw new Failure(code, "it was told to fail");
  },
  break() {
    throw new Error("it was told to break");
  },
  publish: (context, topic) => context.publish(topic, "hello"),
  note: (context, path) => notes.push(context.read(path)),
  count: (context) => context.write("output", (count += 1)),
  call: async (context, [target, method]) => context.write("output", await context.call(target, method)),
  async "call-within"(context, [within, target, method]) {
    context.write("output", await context.call(target, method, null, { within }));
  },
  relay: async (context, [target, method]) => context.write("output", await context.relay(target, method)),
  sleep: (context, time) => context.sleep(time),
  cast: (context, [target, method]) => context.cast(target, method),
  emit: (context, piece) => context.emit(piece),
  streamed: (context) => context.write("output", context.isStreamed()),
  caller: (context) => context.write("output", context.caller()),
  exit: (context) => context.exit(),
  "exit-with": (context, code) => context.exit(new Failure(code, "it cannot go on")),
};

function add(context, path, word) {
  context.write(path, [...(context.read(path) ?? []), word]);
}

async function retry(context, times) {
  try {
    return await context.next();
  } catch (error) {
    if (times <= 1) throw error;
    return retry(context, times - 1);
  }
}

async function run(name, context) {
  if (!(name in hooks)) throw new Failure("no-such-hook", name);
  let flow = Flow.PROCEED;
  for (const step of hooks[name]) {
    const [[what, given]] = typeof step === "string" ? [[step, null]] : Object.entries(step);
    if (what === "finish") flow = Flow.FINISH;
    else if (!(what in steps)) throw new Failure("invalid-config", `there is no step \`${what}\``);
    else await steps[what](context, given);
  }
  return flow;
}

async function runIfAny(moment, context) {
  return moment in hooks ? run(moment, context) : Flow.PROCEED;
}

function exported() {
  throw new Failure("no-such-hook", "it has none but those of its configuration");
}

export default plugin({
  id: "script-javascript",
  version: "1.0.0",
  description: "A plugin whose hooks do what its configuration says.",
  requires: {
    context: { read: ["input", "output", "error"], write: ["input", "output", "error"] },
    events: { publish: ["a.script"] },
    call: ["nobody"],
  },
  instances: "one",

  init(config) {
    const unknown = Object.keys(config).find((key) => !["hooks", "refuse"].includes(key));
    if (unknown !== undefined) throw new Failure("invalid-config", `unknown field \`${unknown}\``);
    if (config.refuse != null) throw new Failure("refused", config.refuse);
    hooks = config.hooks ?? {};
  },

  health: (context) => runIfAny("health", context),

  async exportState(context) {
    // A step may write another state.
    context.write("output", count);
    await runIfAny("export", context);
    return context.read("output");
  },

  async importState(state, _, context) {
    count = state;
    await runIfAny("import", context);
  },

  // The suite puts its own manifest in the place of this one, so these are there for what the component exports.
  hooks: Object.fromEntries(
    ["before", "after", "around", "replace", "answer"].map((kind) => [`-${kind}`, { point: "-", kind, run: exported }]),
  ),
  on: { "-event": { topic: "a.-", run: exported } },
  methods: { "-method": exported },

  async otherwise(context, { kind, name, method }) {
    if (kind === "start" || kind === "stop") return runIfAny(kind, context);
    if (kind !== "handle") return run(name, context);
    if (!name.startsWith("plugin/")) {
      context.write("output", notes);
      return Flow.FINISH;
    }
    context.write("output", null);
    return run(method, context);
  },
});
