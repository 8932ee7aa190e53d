// Times Tapable: prints one JSON object of nanoseconds a call, by the names of the scenarios.
const { AsyncSeriesHook, AsyncSeriesWaterfallHook, SyncHook } = require("tapable");

let sink = 0;
const add = (value) => void (sink += value);

const sync = (count) => {
  const hook = new SyncHook(["value"]);
  for (let index = 0; index < count; index++) hook.tap(`h${index}`, add);
  return hook;
};
const asynchronous = (count) => {
  const hook = new AsyncSeriesHook(["value"]);
  for (let index = 0; index < count; index++) hook.tapPromise(`h${index}`, async (value) => add(value));
  return hook;
};

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

async function time(batch) {
  let calls = 64;
  for (;;) {
    const begun = process.hrtime.bigint();
    await batch(calls);
    if (process.hrtime.bigint() - begun > 10_000_000n) break;
    calls *= 2;
  }
  const times = [];
  for (let round = 0; round < 15; round++) {
    const begun = process.hrtime.bigint();
    await batch(calls);
    times.push(Number(process.hrtime.bigint() - begun) / calls);
  }
  return median(times);
}

(async () => {
  const answers = {};
  for (const [name, count] of [["empty", 0], ["sync 1", 1], ["sync 5", 5], ["sync 20", 20]]) {
    const hook = sync(count);
    answers[name] = await time((calls) => {
      for (let call = 0; call < calls; call++) hook.call(call);
    });
  }
  for (const [name, count] of [["async 1", 1], ["async 5", 5]]) {
    const hook = asynchronous(count);
    answers[name] = await time(async (calls) => {
      for (let call = 0; call < calls; call++) await hook.promise(call);
    });
  }
  console.log(JSON.stringify(answers));
})();
