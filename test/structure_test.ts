/** The rooms of the house: imports point one way, and the engine runs anywhere. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname, join, relative } from "node:path";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A room may import from itself and from the rooms below it. */
const rooms = ["kernels", "engine", "models", "cli"];

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
  for (const specifier of importsOf(code)) {
    if (!specifier.startsWith(".")) {
      if (room < rooms.indexOf("models")) found.push(`${path} imports ${specifier}`);
      continue;
    }
    const target = relative(root, join(root, dirname(path), specifier));
    const targetRoom = rooms.indexOf(target.split("/")[0]);
    const isProject = target === "deno.json" && rooms[room] === "cli";
    if (!isProject && (targetRoom < 0 || targetRoom > room)) {
      found.push(`${path} imports ${target}`);
    }
  }
  const foreign = /\b(Deno|process|Buffer|require|__dirname)\s*[.(\[]/.exec(withoutComments(code));
  if (room < rooms.indexOf("models") && foreign !== null) {
    found.push(`${path} uses ${foreign[1]}`);
  }
  return found;
}

Deno.test("imports point one way: cli → models → engine → kernels", async () => {
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
  ];
  for (const [path, code] of cases) assert.equal(problems(path, code).length, 1, code);
  const allowed =
    `/** Deno.cwd() */ import source from "../kernels/gelu.wgsl" with { type: "text" };`;
  assert.deepEqual(problems("engine/device.ts", allowed), []);
});
