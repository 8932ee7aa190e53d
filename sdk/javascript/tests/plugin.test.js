import assert from "node:assert/strict";
import { test } from "node:test";

import { DECLARED, Mistake } from "../src/declare.js";
import { Failure, plugin } from "../src/index.js";
import { bytes, text } from "../src/context.js";
import { Task, drain } from "../src/tasks.js";
import { FakeHost, ask } from "../src/testing.js";

const shout = plugin({
  id: "shout",
  version: "1.0.0",
  dependsOn: [{ id: "numbers" }],
  hooks: {
    shout: {
      point: "greet",
      kind: "around",
      onFailure: "skip",
      async run(context) {
        await context.next();
        context.write("output", context.read("output").toUpperCase());
      },
    },
  },
  nodes: { louder: (_, request) => request.with.text + "!" },
  on: { heard: { topic: "a.b", run() {} } },
  methods: {
    boom: () => assert.fail("it was not expected"),
    async later(context) {
      await context.sleep(500);
      return context.relay("numbers", "count", null, { within: 60_000 });
    },
  },
});

test("a declaration becomes the manifest in its words", () => {
  const { manifest } = shout[DECLARED];
  assert.deepEqual(manifest.plugin.depends_on, [{ id: "numbers" }]);
  assert.deepEqual(manifest.hook, [{ name: "shout", point: "greet", kind: "around", on_failure: "skip" }]);
  assert.deepEqual(manifest.provides.map(({ point, key, methods }) => [point, key, methods]), [
    ["node", "louder", ["handle"]],
    ["plugin", "shout", ["boom", "later"]],
  ]);
  assert.deepEqual(manifest.requires.events.subscribe, ["a.b"]);
});

test("hooks and handlers are run against a host that holds the context", async () => {
  const host = new FakeHost({ input: "Ada" });
  host.inner = (context) => (context.output = `Hello, ${context.input}`);
  await ask(shout, "around", "shout", host);
  assert.equal(host.context.output, "HELLO, ADA");
  const node = new FakeHost({ input: { with: { text: "hey" } } });
  await ask(shout, "handle", "node/louder", node);
  assert.equal(node.context.output, "hey!");
});

test("an answer is waited for and passed on with its pieces", async () => {
  const host = new FakeHost();
  host.answers.set("numbers count", 2);
  host.pieces.set("numbers count", [0, 1]);
  await ask(shout, "handle", "plugin/shout", host, { method: "later" });
  assert.deepEqual([host.context.output, host.emitted, host.time], [2, [0, 1], 5e8]);
});

test("what is not declared is a failure with a code", async () => {
  await assert.rejects(ask(shout, "around", "other", new FakeHost()), { code: "no-such-hook" });
  await assert.rejects(ask(shout, "handle", "node/other", new FakeHost()), { code: "no-such-method" });
  await assert.rejects(ask(shout, "export-state", "", new FakeHost()), { code: "no-state" });
});

test("a declaration that makes no sense names the author's line", () => {
  const wrong = (rest, message) =>
    assert.throws(() => plugin({ id: "a", version: "1.0.0", ...rest }), (error) => {
      assert.ok(error instanceof Mistake);
      assert.match(error.message, message);
      assert.match(error.place, /plugin\.test\.js:\d+$/);
      return true;
    });
  wrong({ hook: {} }, /unknown key `hook` of a plugin/);
  wrong({ hooks: { a: { point: "p", kind: "around" } } }, /`hooks\.a` needs a function `run`/);
  wrong({ exportState() {} }, /stand together/);
  wrong({ exportState() {}, importState() {} }, /instances: "one"/);
});

test("tasks settle in the order of promises, when they are asked to", async () => {
  const program = (Kind, log) => {
    const note = (word) => () => log.push(word);
    Kind.resolve().then(note("a")).then(note("c"));
    Kind.resolve(Kind.resolve()).then(note("b")).finally(note("d"));
    Kind.reject(new Error("no")).catch(note("e")).then(() => Kind.reject(1)).then(note("never"), note("f"));
    new Kind((resolve) => resolve({ then: (done) => done(note("g")()) })).then(note("h"));
    Kind.all([1, Kind.resolve(2)]).then((values) => log.push(...values));
    Kind.race([new Kind(() => {}), Kind.resolve("first")]).then((value) => log.push(value));
    Kind.any([Kind.reject(1), "any"]).then((value) => log.push(value));
    Kind.allSettled([Kind.reject(1), 2]).then((all) => log.push(...all.map(({ status }) => status)));
    Kind.all([]).then(note("none"));
    Kind.any([]).catch((error) => log.push(error.constructor.name));
  };
  const [ours, theirs] = [[], []];
  program(Task, ours);
  assert.deepEqual(ours, []);
  drain();
  program(Promise, theirs);
  await new Promise((done) => setTimeout(done, 0));
  assert.deepEqual(ours.toSorted(), theirs.toSorted());
  assert.deepEqual(ours.filter((word) => "abcdefgh".includes(word)), theirs.filter((word) => "abcdefgh".includes(word)));
});

test("text and bytes are UTF-8", () => {
  for (const sample of ["", "abc", "ä€😀", "a\u0000b"]) {
    assert.deepEqual(bytes(sample), new Uint8Array(new TextEncoder().encode(sample)));
    assert.equal(text(bytes(sample)), sample);
  }
  assert.equal(text(new Uint8Array([0x61, 0xff, 0x62])), "a\ufffdb");
  assert.ok(new Failure("a", "b") instanceof Error);
});
