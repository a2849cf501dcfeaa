/** The rooms of the house: imports point one way, and what is below the host boundary runs anywhere. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname, join, relative } from "node:path";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A room may import from itself and from the rooms below it. */
const rooms = ["kernels", "engine", "gradcheck", "kernelbench", "models", "web", "cli"];

/** Of models/ only this part knows Deno; nothing beside it in models/ may import it. */
const host = "models/host/";

/** What checks and times the engine; a model knows neither, nor one of them the other. */
const measures = ["gradcheck", "kernelbench"];

/** Packages that run in a browser as they are, by the folders that may import them. hyparquet has an entry of its own for that. */
const portable: Readonly<Record<string, readonly string[]>> = {
  models: ["@huggingface/tokenizers", "hyparquet", "hyparquet-compressors", "papaparse"],
  "models/hub": ["@huggingface/hub"],
  web: ["@observablehq/plot", "fflate", "preact", "preact/hooks"],
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (path === "web/dist") continue; // what was built of it
    if (entry.isDirectory) yield* sources(path);
    else if (/\.[cm]?[jt]sx?$/.test(entry.name)) yield path;
  }
}

/** What a source imports: static, dynamic, re-exported, in types; not what a message counts `from "a" + 1`. */
function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["'](?=\s*(?:[;),]|with\b|$))/gm;
  return [...code.matchAll(pattern)].map((match) => match[1]);
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, "");
}

/** What is wrong with a source's imports and globals. */
function problems(path: string, code: string): string[] {
  const found: string[] = [];
  const [name] = path.split("/");
  const room = rooms.indexOf(name);
  const models = rooms.indexOf("models");
  const runsAnywhere = name !== "cli" && !path.startsWith(host);
  for (const specifier of importsOf(code)) {
    if (!specifier.startsWith(".")) {
      const allowed = Object.entries(portable).some(([folder, packages]) =>
        path.startsWith(`${folder}/`) && packages.includes(specifier)
      );
      if (runsAnywhere && !allowed) found.push(`${path} imports ${specifier}`);
      continue;
    }
    const target = relative(root, join(root, dirname(path), specifier));
    const targetRoom = rooms.indexOf(target.split("/")[0]);
    const isProject = target === "deno.json" && rooms[room] === "cli";
    const crosses = runsAnywhere && target.startsWith(host);
    const measured = measures.indexOf(rooms[targetRoom]);
    const isMeasured = measured >= 0 && room <= models && measures[measured] !== name;
    if (!isProject && (targetRoom < 0 || targetRoom > room || crosses || isMeasured)) {
      found.push(`${path} imports ${target}`);
    }
  }
  const foreign = /\b(Deno|process|Buffer|require|__dirname)\s*[.(\[]/.exec(withoutComments(code));
  if (runsAnywhere && foreign !== null) found.push(`${path} uses ${foreign[1]}`);
  return found;
}

/** The floors of models/, from below; a file imports from its own floor and those before it. */
const floors = [
  "errors.ts",
  "numbers.ts",
  "files",
  "data",
  "text",
  "nn",
  "encoders",
  "peft",
  "model.ts",
  "training",
  "baselines",
  "pretraining",
  "hub",
  "host",
];

/** What is wrong with a source's imports within models/. */
function floorProblems(path: string, code: string): string[] {
  const floorOf = (file: string) => floors.indexOf(file.split("/")[1]);
  return importsOf(code).filter((specifier) => specifier.startsWith(".")).flatMap((specifier) => {
    const target = relative(root, join(root, dirname(path), specifier));
    const known = floorOf(path) >= 0 && (!target.startsWith("models/") || floorOf(target) >= 0);
    return known && floorOf(target) <= floorOf(path) ? [] : [`${path} imports ${target}`];
  });
}

/** The sources that a source needs when it is loaded: its imports, but for types. */
function loadedBy(path: string, code: string): string[] {
  const pattern = /^(?:import|export)\s+(?!type\b)([^;"]*?)\bfrom\s+"(\.[^"]+\.ts)"/gm;
  return [...withoutComments(code).matchAll(pattern)]
    .filter(([, names]) => !/^\{(\s*type\s[^,]*,?)+\}\s*$/.test(names))
    .map(([, , specifier]) => relative(root, join(root, dirname(path), specifier)));
}

/** A ring of sources that load one another, if there is one. */
function ringIn(loads: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    done.add(path);
    for (const next of loads.get(path) ?? []) {
      const ring = visit(next, [...way, path]);
      if (ring) return ring;
    }
  };
  for (const path of loads.keys()) {
    const ring = visit(path, []);
    if (ring) return ring;
  }
}

/**
 * What a source tells a user to type, outside its comments: flags of the command line (`--x.y` is a decrement),
 * and the packages' installer.
 */
function adviceIn(code: string): string[] {
  return withoutComments(code).match(/--[a-z]\w+\b(?!\.\w)|\bapt-get\b/g) ?? [];
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

Deno.test("no source has more than 300 lines", async () => {
  const found: string[] = [];
  for (const room of [...rooms, "bench", "docs", "test"]) {
    for await (const path of sources(room)) {
      const lines = (await Deno.readTextFile(join(root, path))).split("\n").length - 1;
      if (lines > 300) found.push(`${path} has ${lines}`);
    }
  }
  assert.deepEqual(found, []);
});

Deno.test("within models imports point one way: an encoder knows no method, a method no training", async () => {
  const found: string[] = [];
  for await (const path of sources("models")) {
    found.push(...floorProblems(path, await Deno.readTextFile(join(root, path))));
  }
  assert.deepEqual(found, []);
  for (
    const [path, code] of [
      ["models/encoders/bert.ts", `import { lora } from "../peft/lora.ts";`],
      ["models/nn/layers.ts", `import type { EncoderConfig } from "../encoders/mod.ts";`],
      ["models/peft/lora.ts", `import { train } from "../training/trainer.ts";`],
      ["models/new/x.ts", `import { UserError } from "../errors.ts";`],
      ["models/training/x.ts", `import { y } from "../new/y.ts";`],
    ]
  ) assert.equal(floorProblems(path, code).length, 1, code);
});

Deno.test("no sources load one another in a ring", async () => {
  const loads = new Map<string, string[]>();
  for (const room of rooms) {
    for await (const path of sources(room)) {
      loads.set(path, loadedBy(path, await Deno.readTextFile(join(root, path))));
    }
  }
  assert.equal(ringIn(loads), undefined);
  const count = [...loads.values()].reduce((sum, each) => sum + each.length, 0);
  assert.ok(count > 200, `only ${count} imports were found`);
  const ring = new Map([["a", ["b"]], ["b", ["c", "d"]], ["d", ["b"]]]);
  assert.deepEqual(ringIn(ring), ["b", "d", "b"]);
  assert.deepEqual(
    loadedBy("a/b.ts", `import { type X, y } from "./c.ts";\nimport { type Z } from "./d.ts";`),
    ["a/c.ts"],
  );
});

Deno.test("below cli/ and web/ errors state facts: no message names a flag or an installer", async () => {
  const found: string[] = [];
  for (const room of rooms.slice(0, rooms.indexOf("web"))) {
    for await (const path of sources(room)) {
      const advice = adviceIn(await Deno.readTextFile(join(root, path)));
      if (advice.length > 0) found.push(`${path} names ${advice.join(", ")}`);
    }
  }
  assert.deepEqual(found, []);
  const code =
    "/** `--dry_run` */\n`Lower --learning_rate.`; i--; --gradient.x; `Try apt-get update.`";
  assert.deepEqual(adviceIn(code), ["--learning_rate", "apt-get"]);
});

Deno.test("the check sees what it forbids", () => {
  const cases: [string, string][] = [
    ["engine/tape.ts", `import { x } from "../models/bert/config.ts";`],
    ["kernels/mod.ts", `export * from "../engine/mod.ts";`],
    ["models/x.ts", `const { y } = await import("../cli/train/flags.ts");`],
    ["engine/ops/gelu.ts", `import { join } from "node:path";`],
    ["engine/ops/gelu.ts", `import type { x } from "valibot";`],
    ["engine/device.ts", `const path = Deno.cwd();`],
    ["kernels/mod.ts", `import x from "../gradcheck/reference.ts";`],
    ["gradcheck/mod.ts", `import { x } from "../models/model.ts";`],
    ["gradcheck/mod.ts", `import { x } from "../test/engine/check.ts";`],
    ["models/x.ts", `import { checksOf } from "../gradcheck/mod.ts";`],
    ["models/x.ts", `import { casesOf } from "../kernelbench/cases.ts";`],
    ["kernelbench/x.ts", `import { checksOf } from "../gradcheck/mod.ts";`],
    ["kernelbench/x.ts", `import { kernelTable } from "../bench/kernel_table.ts";`],
    ["models/x.ts", `import project from "../deno.json" with { type: "json" };`],
    ["models/files/x.ts", `import { join } from "node:path";`],
    ["models/files/x.ts", `import { modelInfo } from "@huggingface/hub";`],
    ["models/data/x.ts", `export { exists } from "../host/files.ts";`],
    ["web/x.ts", `import { exists } from "../models/host/files.ts";`],
    ["web/x.tsx", `import { main } from "../cli/train.ts";`],
    ["web/x.tsx", `import { parse } from "valibot";`],
    ["models/x.ts", `import { train } from "../web/lab/training.ts";`],
    ["models/data/x.ts", `const text = await Deno.readTextFile("x");`],
  ];
  for (const [path, code] of cases) assert.equal(problems(path, code).length, 1, code);
  const allowed: [string, string][] = [
    [
      "engine/device.ts",
      `/** Deno.cwd() */ import source from "../kernels/gelu.wgsl" with { type: "text" };`,
    ],
    ["models/data/x.ts", `import { parquetSchema } from "hyparquet";`],
    ["models/data/x.ts", 'throw new Error(`positions count from "pad_token_id" + 1.`);'],
    ["models/host/x.ts", `import { join } from "node:path"; await Deno.stat(join("a", "b"));`],
    ["models/host/x.ts", `import { isObject } from "../files/json.ts";`],
    ["web/x.tsx", `import { useState } from "preact/hooks";`],
    ["web/x.ts", `import { runChecks } from "../gradcheck/mod.ts";`],
    ["web/x.ts", `import { casesOf } from "../kernelbench/cases.ts";`],
    ["kernelbench/x.ts", `import { casesOf } from "./cases.ts";`],
    ["cli/x.ts", `import { exists } from "../models/host/files.ts";`],
    ["cli/x.ts", `import { checksOf } from "../gradcheck/mod.ts";`],
    ["gradcheck/mod.ts", `import type { Device } from "../engine/device.ts";`],
  ];
  for (const [path, code] of allowed) assert.deepEqual(problems(path, code), [], code);
});

Deno.test("the image has all that its commands load", async () => {
  const dockerfile = await Deno.readTextFile(join(root, "deploy", "Dockerfile"));
  const copied = [...dockerfile.matchAll(/^COPY --chown=1000 (.+) \S+$/gm)]
    .flatMap(([, names]) => names.split(" "));
  const cached = dockerfile.slice(dockerfile.indexOf("RUN deno cache")).match(/\bcli\/\S+\.ts/g)!;
  const seen = new Set<string>();
  const visit = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    if (!path.endsWith(".ts")) return;
    for (const specifier of importsOf(await Deno.readTextFile(join(root, path)))) {
      if (specifier.startsWith(".")) {
        await visit(relative(root, join(root, dirname(path), specifier)));
      }
    }
  };
  for (const path of cached) await visit(path);
  assert.ok(seen.size > 200, `only ${seen.size} files were found`);
  const missing = [...seen].filter((path) =>
    !copied.some((name) => path === name || path.startsWith(`${name}/`))
  );
  assert.deepEqual(missing, []);
});
