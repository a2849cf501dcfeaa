/** The rooms of the house: imports point one way, and what is below the host boundary runs anywhere. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname, join, relative } from "node:path";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A room may import from itself and from the rooms below it. */
const rooms = ["kernels", "engine", "models", "cli"];

/** Of models/ only this part knows Deno; nothing beside it in models/ may import it. */
const host = "models/host/";

/** Packages that run in a browser as they are. hyparquet has an entry of its own for that. */
const portable = ["@huggingface/tokenizers", "hyparquet", "hyparquet-compressors"];

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (/\.[cm]?[jt]sx?$/.test(entry.name)) yield path;
  }
}

/** What a source imports: static, dynamic, re-exported, in types. */
function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g;
  return [...code.matchAll(pattern)].map((match) => match[1]);
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, "");
}

/** What is wrong with a source's imports and globals. */
function problems(path: string, code: string): string[] {
  const found: string[] = [];
  const room = rooms.indexOf(path.split("/")[0]);
  const models = rooms.indexOf("models");
  const runsAnywhere = room <= models && !path.startsWith(host);
  for (const specifier of importsOf(code)) {
    if (!specifier.startsWith(".")) {
      const allowed = room === models && portable.includes(specifier);
      if (runsAnywhere && !allowed) found.push(`${path} imports ${specifier}`);
      continue;
    }
    const target = relative(root, join(root, dirname(path), specifier));
    const targetRoom = rooms.indexOf(target.split("/")[0]);
    const isProject = target === "deno.json" && rooms[room] === "cli";
    const crosses = runsAnywhere && target.startsWith(host);
    if (!isProject && (targetRoom < 0 || targetRoom > room || crosses)) {
      found.push(`${path} imports ${target}`);
    }
  }
  const foreign = /\b(Deno|process|Buffer|require|__dirname)\s*[.(\[]/.exec(withoutComments(code));
  if (runsAnywhere && foreign !== null) found.push(`${path} uses ${foreign[1]}`);
  return found;
}

/** Flags of the command line that a source names outside its comments; `--x.y` is a decrement. */
function flagsIn(code: string): string[] {
  return withoutComments(code).match(/--[a-z]\w+\b(?!\.\w)/g) ?? [];
}

Deno.test("imports point one way, and of models only models/host knows its host", async () => {
  const found: string[] = [];
  let count = 0;
  for (const room of rooms) {
    for await (const path of sources(room)) {
      count++;
      found.push(...problems(path, await Deno.readTextFile(join(root, path))));
    }
  }
  assert.deepEqual(found, []);
  assert.ok(count > 20, `only ${count} sources were found`);
});

Deno.test("models state facts: no message of theirs names a flag", async () => {
  const found: string[] = [];
  for await (const path of sources("models")) {
    const flags = flagsIn(await Deno.readTextFile(join(root, path)));
    if (flags.length > 0) found.push(`${path} names ${flags.join(", ")}`);
  }
  assert.deepEqual(found, []);
  assert.deepEqual(flagsIn("/** `--dry_run` */\n`Lower --learning_rate.`; i--; --gradient.x"), [
    "--learning_rate",
  ]);
});

Deno.test("the check sees what it forbids", () => {
  const cases: [string, string][] = [
    ["engine/tape.ts", `import { x } from "../models/bert/config.ts";`],
    ["kernels/mod.ts", `export * from "../engine/mod.ts";`],
    ["models/x.ts", `const { y } = await import("../cli/flags.ts");`],
    ["engine/ops/gelu.ts", `import { join } from "node:path";`],
    ["engine/ops/gelu.ts", `import type { x } from "valibot";`],
    ["engine/device.ts", `const path = Deno.cwd();`],
    ["kernels/mod.ts", `import x from "../test/reference.ts";`],
    ["models/x.ts", `import project from "../deno.json" with { type: "json" };`],
    ["models/files/x.ts", `import { join } from "node:path";`],
    ["models/files/x.ts", `import { modelInfo } from "@huggingface/hub";`],
    ["models/data/x.ts", `export { exists } from "../host/files.ts";`],
    ["models/data/x.ts", `const text = await Deno.readTextFile("x");`],
  ];
  for (const [path, code] of cases) assert.equal(problems(path, code).length, 1, code);
  const allowed: [string, string][] = [
    [
      "engine/device.ts",
      `/** Deno.cwd() */ import source from "../kernels/gelu.wgsl" with { type: "text" };`,
    ],
    ["models/data/x.ts", `import { parquetSchema } from "hyparquet";`],
    ["models/host/x.ts", `import { join } from "node:path"; await Deno.stat(join("a", "b"));`],
    ["models/host/x.ts", `import { isObject } from "../files/json.ts";`],
    ["cli/x.ts", `import { exists } from "../models/host/files.ts";`],
  ];
  for (const [path, code] of allowed) assert.deepEqual(problems(path, code), [], code);
});
