// Builds a plugin: `node build.mjs describe|make OPTIONS`, where OPTIONS is a JSON object of
// `folder`, `entry`, `scratch`, `contract`, `imports` and `exports`.
//
// `describe` prints what the plugin declares as one JSON object: `manifest` and `places`, or `error`. `make` writes
// `plugin.wasm` into the scratch folder.

import { readFile, writeFile } from "node:fs/promises";
import { SourceMap, createRequire } from "node:module";
import { isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const [, , action, text] = process.argv;
const options = JSON.parse(text);
const { folder, entry, scratch } = options;
// The tools are the project's.
const require = createRequire(join(folder, "package.json"));
const esbuild = require("esbuild");

/** Puts a module and all that it imports into one, in which `async` functions are generators over `Promise`. */
async function bundled(input, outfile) {
  const result = await esbuild.build({
    ...input,
    outfile,
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["module", "import"],
    alias: { tapline: join(sdk, "src/index.js"), "tapline-sandbox": join(sdk, "src/sandbox.js") },
    external: ["tapline:plugin/*"],
    supported: { "async-await": false, "async-generator": false, "for-await": false },
    sourcemap: "external",
    absWorkingDir: folder,
    logLevel: "silent",
  });
  const [map, code] = [true, false].map((isMap) => result.outputFiles.find(({ path }) => path.endsWith(".map") === isMap));
  return { code: code.text, map: JSON.parse(map.text) };
}

async function describe() {
  const file = join(scratch, "described.mjs");
  const { code, map } = await bundled({ entryPoints: [entry] }, file);
  await writeFile(file, code);
  const places = placesOf(code, map, file);
  const { default: plugin } = await import(pathToFileURL(file));
  const declared = plugin?.[Symbol.for("tapline.declared")];
  if (!declared) return { error: `${entry}:1: a plugin is what is exported by \`export default plugin({ … })\`` };
  const place = places[declared.place.split(":").pop() - 1] ?? `${entry}:1`;
  const { manifest } = declared;
  for (const list of ["hook", "provides", "subscribe"]) if (manifest[list].length === 0) delete manifest[list];
  const parts = ["plugin", "requires", "limits", "hook", "provides", "subscribe"];
  return { manifest, places: Object.fromEntries(parts.map((part) => [part, place])) };
}

async function make() {
  const outfile = join(scratch, "component.js");
  const imports = options.imports.map((name) => `import * as ${name} from "tapline:plugin/${name}@1.0.0";\n`);
  const exports = options.exports.map((name) => `export const ${name} = made.${name};\n`);
  const contents = `import { component } from "tapline-sandbox";
import plugin from ${JSON.stringify(join(folder, entry))};
${imports.join("")}const made = component(plugin, { ${options.imports.join(", ")} });
${exports.join("")}`;
  const { code, map } = await bundled({ stdin: { contents, resolveDir: folder } }, outfile);
  const places = JSON.stringify(placesOf(code, map, outfile));
  const source = `${code}\nglobalThis.__tapline_places = ${places};\n`;
  await writeFile(outfile, source);
  const { componentize } = await import(pathToFileURL(require.resolve("componentize-qjs")));
  const { component } = await componentize({
    witPath: options.contract,
    world: options.world,
    jsSource: source,
    stubWasi: true,
    sync: true,
  });
  await writeFile(join(scratch, "plugin.wasm"), component);
}

/** The author's file and line of each line of the code; nothing for a line that is of none. */
function placesOf(code, map, outfile) {
  const lines = new SourceMap(map);
  return code.split("\n").map((line, number) => {
    const found = lines.findEntry(number, line.search(/\S|$/));
    if (found.originalSource === undefined) return null;
    const file = resolve(outfile, "..", found.originalSource);
    const inSdk = relative(sdk, file);
    if (!inSdk.startsWith("..") && !isAbsolute(inSdk)) return `tapline/${inSdk}:${found.originalLine + 1}`;
    return `${relative(folder, file)}:${found.originalLine + 1}`;
  });
}

/** What went wrong, in the author's words: a mistake of syntax with its line, an exception with its frames. */
async function told(error) {
  if (Array.isArray(error.errors)) {
    const messages = await esbuild.formatMessages(error.errors, { kind: "error" });
    return messages.join("").trim();
  }
  const file = join(scratch, "described.mjs");
  const code = await readFile(file, "utf8").catch(() => "");
  const { map } = await bundled({ entryPoints: [entry] }, file);
  const places = placesOf(code, map, file);
  const lines = String(error.stack).split("\n").filter((line) => line.includes("described.mjs"));
  const frames = lines.flatMap((line) => {
    const [, name, number] = /^\s*at (?:(.*?) )?\(?.*described\.mjs.*?:(\d+):\d+\)?$/.exec(line) ?? [];
    const place = places[number - 1];
    return place && !place.startsWith("tapline/") ? [[name ?? "<module>", place]] : [];
  });
  if (error.place !== undefined) return `${frames[0]?.[1] ?? entry}: ${error.message}`;
  return [String(error), ...frames.map(([name, place]) => `    at ${name} (${place})`)].join("\n");
}

// What the author's module says while it is run is not what it declares.
const output = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
try {
  const done = action === "describe" ? await describe() : await make();
  if (done) output(JSON.stringify(done));
} catch (error) {
  const what = await told(error);
  if (action === "describe") output(JSON.stringify({ error: what }));
  else {
    console.error(what);
    process.exitCode = 1;
  }
}
