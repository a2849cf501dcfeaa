/** Frozen weights in 16 bits: a run is that of the rounded weights, in half the memory. */
import assert from "node:assert/strict";
import { type Dtype, pack, type PackedDtype, unpack } from "../../engine/pack.ts";
import { sizeOf } from "../../engine/shape.ts";
import { declareModel } from "../../models/encoders/mod.ts";
import { randomWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { createModel } from "../../models/model.ts";
import { initialValues } from "../../models/nn/initial.ts";
import { baseSeed } from "../../models/peft/export.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, methodParameters, runName } from "../../models/peft/methods.ts";
import { testDevice } from "../models/device.ts";
import { bits, config, run } from "./small_task.ts";

const linearWeights = new Set(
  declareModel(config, 3).specs.filter(({ kind, role }) => kind === "matrix" && role !== "head")
    .map(({ name }) => name),
);

/** The weights of a random start, those of linear layers rounded. */
const roundedWeights = (dtype: PackedDtype): WeightSource => ({
  ...randomWeights("a test"),
  read(spec) {
    const values = linearWeights.has(spec.name) ? initialValues(spec, baseSeed) : undefined;
    return Promise.resolve(values && unpack(pack(values, dtype), dtype));
  },
});

const methods: Method[] = [
  loraDefaults(4),
  { ...loraDefaults(3), targetModules: ["dense"] }, // a rank that the vec4 kernels cannot read
  { ...loraDefaults(4), useDora: true }, // whose lengths of rows start as the rounded weights'
  { method: "ia3", targetModules: ["key", "value", "output"] },
  { method: "adapter", size: 8, placement: "parallel" },
];
for (const dtype of ["bf16", "f16"] as const) {
  for (const method of dtype === "bf16" ? methods : methods.slice(0, 1)) {
    Deno.test(`${dtype}: ${runName(method)} trains as over rounded weights`, async () => {
      const packed = await run(method, { epochs: 1, frozenDtype: dtype });
      const plain = await run(method, { epochs: 1 }, { weights: roundedWeights(dtype) });
      const numbers = ({ steps }: typeof packed) =>
        steps.map(({ loss, gradientNorm }) => [loss, gradientNorm]);
      assert.deepEqual(numbers(packed), numbers(plain));
      assert.deepEqual(bits(packed.result), bits(plain.result));
      const exact = await run(method, { epochs: 1 });
      assert.notDeepEqual(numbers(packed), numbers(exact), "the weights were not rounded");
    });
  }
}

/** A model's bytes, in a config where some sizes are no multiple of 4. */
async function heldBytes(method: Method, frozenDtype: Dtype, changes: Partial<typeof config> = {}) {
  const device = await testDevice();
  const before = device.memory.heldBytes;
  const settings = { config: { ...config, ...changes }, method, classes: 3, seed: 1 };
  const model = await createModel(device, {
    ...settings,
    weights: randomWeights("a test"),
    frozenDtype,
  });
  const held = device.memory.heldBytes - before;
  model.destroy();
  return held;
}

Deno.test("packed weights take half the bytes, and nothing else changes", async () => {
  const method = loraDefaults(4);
  const values = methodParameters(config, method, 3)
    .filter(({ name }) => linearWeights.has(name))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const plain = await heldBytes(method, "f32");
  assert.equal(await heldBytes(method, "bf16"), plain - 2 * values);
  assert.equal(await heldBytes(method, "f16"), plain - 2 * values);
});

Deno.test("what trains, or has a size that is no multiple of 4, stays f32", async () => {
  const full: Method = { method: "full" };
  assert.equal(await heldBytes(full, "bf16"), await heldBytes(full, "f32"));
  const ragged = { intermediateSize: 66 };
  const method = loraDefaults(4);
  const attentionAndPooler = (4 * config.layers + 1) * config.hiddenSize ** 2;
  assert.equal(
    await heldBytes(method, "bf16", ragged),
    await heldBytes(method, "f32", ragged) - 2 * attentionAndPooler,
  );
});

Deno.test("a weight beyond f16's range is refused by name, and leaves no memory behind", async () => {
  const device = await testDevice();
  const held = device.memory.heldBytes;
  const weights: WeightSource = {
    ...randomWeights("a test"),
    read: ({ name, shape }) =>
      Promise.resolve(
        name === "bert.pooler.dense.weight" ? new Float32Array(sizeOf(shape)).fill(7e4) : undefined,
      ),
  };
  const options = { config, method: loraDefaults(4), classes: 3, weights, seed: 1 };
  await assert.rejects(createModel(device, { ...options, frozenDtype: "f16" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /^bert\.pooler\.dense\.weight cannot be kept as f16: value 0 is 70000/,
    );
    assert.deepEqual(error.remedy, { kind: "otherFrozenDtype" });
    return true;
  });
  assert.equal(device.memory.heldBytes, held);
});
