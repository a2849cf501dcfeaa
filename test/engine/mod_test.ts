/** The engine's public face: a model trains through it alone, and it has what the rooms above use. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as engine from "../../engine/mod.ts";

const { AdamW, createDevice, crossEntropy, linear, Parameters, registerPlan, relu } = engine;
const { setOrAdd, upload, withTape } = engine;

Deno.test("engine/mod.ts is enough to train a network that tells two classes apart", async () => {
  const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });
  const parameters = new Parameters(device, [
    { name: "hidden", shape: [8, 4], decay: true, trainable: true },
    { name: "hiddenBias", shape: [8], decay: false, trainable: true },
    { name: "head", shape: [4, 8], decay: true, trainable: true },
    { name: "headBias", shape: [4], decay: false, trainable: true },
  ]);
  const random = new engine.HostRandom(1, engine.domains.initialise);
  for (const { value, decay } of parameters.slabs) {
    const values = Float32Array.from({ length: value.size }, () => decay ? random.normal() : 0);
    device.write(value.storage, 0, values);
  }
  const of = (name: string) => parameters.get(name);
  const optimizer = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 });
  const labels = Uint32Array.from({ length: 16 }, (_, row) => row % 2);
  const points = Float32Array.from({ length: 64 }, (_, i) => labels[i >> 2] + random.uniform());
  for (let step = 0; step < 30; step++) {
    device.beginStep(1, step);
    parameters.zeroGradients();
    const { output, backward } = withTape(() => {
      const layer = (name: string) => ({ weight: of(name), bias: of(`${name}Bias`) });
      const hidden = relu(linear(upload(device, [16, 4], points), layer("hidden")));
      const logits = linear(hidden, layer("head"));
      return crossEntropy(logits, upload(device, [16], labels));
    });
    backward();
    setOrAdd(optimizer.loss, output, true);
    optimizer.update(0.05);
    device.endStep();
  }
  const losses = (await optimizer.readHistory()).map(({ loss }) => loss);
  assert.ok(losses[29] < losses[0] / 4, `${losses[0]} to ${losses[29]}`);
  optimizer.destroy();
  parameters.destroy();
});

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
