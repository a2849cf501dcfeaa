/** The engine's public face has what the rooms above use, and the list of kernels what the files have. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gpuKernels } from "../../bench/gpu_kernels.ts";
import * as engine from "../../engine/mod.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    if (isDirectory) yield* sources(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}

/** Names that a source takes from files of the engine. */
function takenFromEngine(code: string): string[] {
  const imports = code.matchAll(
    /(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s+"[./]+\/engine\//g,
  );
  return [...imports].flatMap(([, names]) =>
    names.split(",").map((name) => name.trim().replace(/^type /, "").replace(/ as .*/, ""))
  ).filter((name) => name !== "");
}

Deno.test("engine/mod.ts has all that models and command line take from the engine", async () => {
  assert.deepEqual(
    takenFromEngine(
      'import {\n  type A,\n  b as c,\n} from "../../engine/x.ts";\nimport { d } from "../x.ts";',
    ),
    ["A", "b"],
  );
  const operations = await Deno.readTextFile(join(root, "engine/ops/mod.ts"));
  const text = operations + await Deno.readTextFile(join(root, "engine/mod.ts"));
  const types = [...text.matchAll(/export type \{([^}]*)\}/g)]
    .flatMap(([, names]) => names.split(",").map((name) => name.trim()));
  const known = new Set([...Object.keys(engine), ...types]);
  const missing = new Set<string>();
  let count = 0;
  for (const room of ["models", "cli"]) {
    for await (const path of sources(room)) {
      for (const name of takenFromEngine(await Deno.readTextFile(join(root, path)))) {
        count++;
        if (!known.has(name)) missing.add(`${name} in ${path}`);
      }
    }
  }
  assert.deepEqual([...missing], []);
  assert.ok(count > 20, `only ${count} imports were found`);
});

/** Texts that no GPU gets by itself: llvmpipe's, and those of matrix units. */
const others = ["attention_subgroup", "lora_a_subgroup", "lora_b_subgroup", "matmul_cooperative"];

/** `forward` of every `fn forward(` after an `@compute`. */
const entryPoints = (text: string) =>
  [...text.matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, name]) => name);

Deno.test("every entry point of every kernel file is among a GPU's kernels", async () => {
  const known = new Set(gpuKernels().map(({ kernel }) => kernel.name));
  const folder = new URL("../../kernels/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".wgsl") || others.includes(name.slice(0, -5))) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    const file = name.slice(0, -5).replace(/_(workgroup|registers)$/, "");
    for (const entryPoint of entryPoints(text)) {
      const launched = file === "matmul" ? ["matmul.NT", "matmul.NN", "matmul.TN"] : [file];
      for (const each of launched) {
        assert.ok(known.has(`${each}.${entryPoint}`), `${each}.${entryPoint} is not listed`);
      }
    }
  }
});
