// Promises that are settled when they are asked to be.
//
// Nothing runs the engine's own promises in a component: its exports are synchronous, and the host is not asked for more.
// As every import answers at once, no task has to wait for the host; so these take the place of the engine's, and `drain`
// runs all that is due. `async` functions use them, because the build turns those into generators over `Promise`.

const queue = [];

/** Runs what is due, and what becomes due meanwhile. */
export function drain() {
  for (let task = queue.shift(); task; task = queue.shift()) task();
}

/** Runs a function later. */
export function later(task) {
  queue.push(task);
}

/** A promise as the language has it. */
export class Task {
  #state = "pending";
  #value;
  #waiting = [];

  constructor(begin) {
    const { resolve, reject } = this.#resolvers();
    try {
      begin(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  /** Whether it is settled, and with what: `pending`, `fulfilled` or `rejected`. */
  get outcome() {
    return { state: this.#state, value: this.#value };
  }

  then(fulfilled, rejected) {
    return new Task((resolve, reject) => {
      const handle = (handler, otherwise) => () => {
        if (typeof handler !== "function") return otherwise(this.#value);
        try {
          resolve(handler(this.#value));
        } catch (error) {
          reject(error);
        }
      };
      const reaction = { fulfilled: handle(fulfilled, resolve), rejected: handle(rejected, reject) };
      if (this.#state === "pending") this.#waiting.push(reaction);
      else later(reaction[this.#state]);
    });
  }

  catch(rejected) {
    return this.then(undefined, rejected);
  }

  finally(done) {
    if (typeof done !== "function") return this.then(done, done);
    return this.then(
      (value) => Task.resolve(done()).then(() => value),
      (error) => Task.resolve(done()).then(() => Task.reject(error)),
    );
  }

  #settle(state, value) {
    this.#state = state;
    this.#value = value;
    for (const reaction of this.#waiting.splice(0)) later(reaction[state]);
  }

  #resolvers() {
    let isResolved = false;
    const once = (settle) => (value) => {
      if (isResolved) return;
      isResolved = true;
      settle(value);
    };
    const reject = (error) => this.#settle("rejected", error);
    const resolve = (value) => {
      if (value === this) return reject(new TypeError("a promise cannot be resolved with itself"));
      let then;
      try {
        then = value !== null && (typeof value === "object" || typeof value === "function") ? value.then : undefined;
      } catch (error) {
        return reject(error);
      }
      if (typeof then !== "function") return this.#settle("fulfilled", value);
      later(() => {
        const inner = this.#resolvers();
        try {
          then.call(value, inner.resolve, inner.reject);
        } catch (error) {
          inner.reject(error);
        }
      });
    };
    return { resolve: once(resolve), reject: once(reject) };
  }

  static resolve(value) {
    return value instanceof Task ? value : new Task((resolve) => resolve(value));
  }

  static reject(error) {
    return new Task((_, reject) => reject(error));
  }

  static withResolvers() {
    let resolvers;
    const promise = new Task((resolve, reject) => (resolvers = { resolve, reject }));
    return { promise, ...resolvers };
  }

  static all(values) {
    return Task.#gather(values, (each, { resolve, reject }, results) => {
      each.then((value) => results.put(value) && resolve(results.list), reject);
    });
  }

  static allSettled(values) {
    return Task.#gather(values, (each, { resolve }, results) => {
      const put = (result) => results.put(result) && resolve(results.list);
      each.then(
        (value) => put({ status: "fulfilled", value }),
        (reason) => put({ status: "rejected", reason }),
      );
    });
  }

  static any(values) {
    const fail = ({ reject }, results) => reject(new AggregateError(results.list, "all promises were rejected"));
    return Task.#gather(values, (each, ends, results) => {
      each.then(ends.resolve, (error) => results.put(error) && fail(ends, results));
    }, fail);
  }

  static race(values) {
    return new Task((resolve, reject) => {
      for (const value of values) Task.resolve(value).then(resolve, reject);
    });
  }

  /** Waits for several; `put` says whether the last has come. */
  static #gather(values, wait, whenEmpty = ({ resolve }, results) => resolve(results.list)) {
    return new Task((resolve, reject) => {
      const all = [...values];
      const list = new Array(all.length);
      let left = all.length;
      const ends = { resolve, reject };
      if (left === 0) whenEmpty(ends, { list });
      all.forEach((value, place) => {
        const put = (result) => {
          list[place] = result;
          return --left === 0;
        };
        wait(Task.resolve(value), ends, { put, list });
      });
    });
  }
}
