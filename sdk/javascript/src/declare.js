// What a plugin says of itself becomes its manifest and a table of its functions.

/** Where a declaration is kept on what `plugin` answers with. */
export const DECLARED = Symbol.for("tapline.declared");

const METHODS = "plugin";
const NODE = "node";
const PROVIDER = "provider";

const ABOUT = [
  "id", "version", "description", "authors", "capabilities", "dependsOn", "conflicts", "instances", "restart",
];
const LIFE = ["init", "start", "stop", "health", "exportState", "importState", "otherwise"];
const TABLES = ["requires", "limits", "hooks", "nodes", "providers", "provides", "methods", "on"];
const HOOK = [
  "name", "point", "version", "kind", "priority", "when", "before", "after", "tags", "onFailure", "on", "repeats",
  "overrides", "optional",
];

/** Makes a plugin of a declaration. */
export function plugin(declaration) {
  const place = calledAt();
  try {
    return { [DECLARED]: declared(declaration, place) };
  } catch (error) {
    if (error instanceof Mistake) error.place = place;
    throw error;
  }
}

/** A declaration that makes no sense. */
export class Mistake extends Error {}

function declared(declaration, place) {
  if (typeof declaration !== "object" || declaration === null) throw new Mistake("`plugin` takes an object");
  only(declaration, [...ABOUT, ...LIFE, ...TABLES], "a plugin");
  const about = words(declaration, ABOUT);
  const life = {};
  for (const name of LIFE) if (declaration[name] !== undefined) life[name] = functionIn(declaration, name, name);
  const manifest = {
    plugin: { ...about, health: "health" in life, state: stateIn(life, about) },
    requires: structured(declaration.requires ?? {}),
    limits: { ...declaration.limits },
    hook: [],
    provides: [],
    subscribe: [],
  };
  const plugin = { manifest, place, life, hooks: new Map(), listeners: new Map(), handlers: new Map() };
  for (const [name, hook] of Object.entries(declaration.hooks ?? {})) addHook(plugin, name, hook);
  for (const [name, one] of Object.entries(declaration.on ?? {})) addListener(plugin, name, one);
  for (const [key, one] of Object.entries(declaration.nodes ?? {})) addRole(plugin, NODE, key, "handle", "run", one);
  for (const [key, one] of Object.entries(declaration.providers ?? {})) {
    addRole(plugin, PROVIDER, key, "complete", "complete", one);
  }
  for (const [contribution, one] of Object.entries(declaration.provides ?? {})) addProvided(plugin, contribution, one);
  if (declaration.methods) addMethods(plugin, METHODS, about.id, declaration.methods, {});
  return plugin;
}

function stateIn(life, about) {
  if ("exportState" in life !== "importState" in life) {
    throw new Mistake("`exportState` and `importState` stand together: what one writes the other reads");
  }
  if ("exportState" in life && about.instances !== "one") {
    throw new Mistake('a plugin that hands over its state says `instances: "one"`');
  }
  return "exportState" in life;
}

function addHook(plugin, name, hook) {
  only(hook, [...HOOK, "run"], `hook \`${name}\``);
  const table = { name, ...words(hook, HOOK) };
  plugin.hooks.set(table.name, { kind: table.kind, run: functionIn(hook, "run", `hooks.${name}`) });
  plugin.manifest.hook.push(table);
}

function addListener(plugin, name, listener) {
  const keys = ["topic", "name", "capacity", "overflow"];
  only(listener, [...keys, "run"], `subscription \`${name}\``);
  const table = { name, ...words(listener, keys) };
  plugin.listeners.set(table.name, functionIn(listener, "run", `on.${name}`));
  plugin.manifest.subscribe.push(table);
  // To subscribe is to ask for it.
  const events = (plugin.manifest.requires.events ??= {});
  events.subscribe = [...new Set([...(events.subscribe ?? []), table.topic])];
}

/** A node or a provider: a function, or an object with one and what the manifest says besides. */
function addRole(plugin, point, key, method, name, role) {
  if (typeof role === "function") return addMethods(plugin, point, key, { [method]: role }, {});
  only(role, [name, "schema", "authority"], `\`${point}/${key}\``);
  addMethods(plugin, point, key, { [method]: functionIn(role, name, `${point}/${key}`) }, role);
}

function addProvided(plugin, contribution, { schema, authority, ...methods }) {
  const [point, key, ...rest] = contribution.split("/");
  if (!point || !key || rest.length > 0) throw new Mistake(`\`${contribution}\` is no contribution: \`point/key\``);
  addMethods(plugin, point, key, methods, { schema, authority });
}

function addMethods(plugin, point, key, methods, { schema, authority }) {
  const contribution = `${point}/${key}`;
  if (plugin.handlers.has(contribution)) throw new Mistake(`\`${contribution}\` is provided twice`);
  for (const name of Object.keys(methods)) functionIn(methods, name, contribution);
  plugin.handlers.set(contribution, new Map(Object.entries(methods)));
  const table = { point, key, methods: Object.keys(methods) };
  if (schema !== undefined) table.schema = JSON.stringify(schema);
  if (authority !== undefined) table.authority = authority;
  plugin.manifest.provides.push(table);
}

/** The values under these keys, which the manifest writes in its own way. */
function words(object, keys) {
  const said = keys.filter((key) => object[key] !== undefined);
  return Object.fromEntries(said.map((key) => [key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), object[key]]));
}

function only(object, keys, what) {
  if (typeof object !== "object" || object === null) throw new Mistake(`${what} is described by an object`);
  const unknown = Object.keys(object).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new Mistake(`unknown key \`${unknown}\` of ${what}, expected one of ${keys.map((key) => `\`${key}\``).join(", ")}`);
  }
}

function functionIn(object, name, where) {
  if (typeof object[name] !== "function") throw new Mistake(`\`${where}\` needs a function \`${name}\``);
  return object[name];
}

function structured(value) {
  return JSON.parse(JSON.stringify(value));
}

/** The author's line that called `plugin`, as the engine names it. */
function calledAt() {
  // The frames of this module, and the message if the engine puts it first, come before it.
  const lines = String(new Error().stack).split("\n").filter((line) => /:\d+(:\d+)?\)?$/.test(line));
  const match = /\(?((?:file:\/\/)?[^\s()]+?):(\d+)(?::\d+)?\)?$/.exec(lines[2] ?? "");
  return match ? `${match[1].replace(/^file:\/\//, "")}:${match[2]}` : "plugin.js";
}
