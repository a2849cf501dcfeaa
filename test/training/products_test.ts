/** The products that are tuned for are those that a step launches. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { AdamW } from "../../engine/optimizer.ts";
import type { Dtype } from "../../engine/pack.ts";
import { type Product, shapeClass } from "../../engine/plans.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { createModel, type ModelOptions } from "../../models/model.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, methods } from "../../models/peft/methods.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import { stepProducts } from "../../models/training/products.ts";
import { computeGradients } from "../../models/training/step.ts";
import { testDevice } from "../models/device.ts";
import { config } from "./small_task.ts";

const { gpu, info, kernels } = await testDevice();
/** A device whose products and launches are counted from nothing. */
const fresh = () => new Device(gpu, info, kernels);

/** The products that a step on the GPU launches, with sentences of these lengths. */
async function launched(options: ModelOptions, lengths: number[]): Promise<Product[]> {
  const device = fresh();
  const products: Product[] = [];
  device.onProduct = (product) => products.push(product);
  const weights = randomWeights("a test");
  const built = await createModel(device, { ...options, weights, seed: 1 });
  const optimizer = new AdamW(built.parameters, { weightDecay: 0.01, maxGradNorm: 1 });
  const batch = lengths.map((length, i) => ({
    ids: Array.from({ length }, (_, at) => (7 * i + at) % options.config.vocabSize),
    label: i % options.classes,
  }));
  const step = { ...defaultHyperparameters, batchSize: lengths.length, step: 0 };
  computeGradients({ device, built, optimizer }, batch, step);
  await device.finish();
  optimizer.destroy();
  built.destroy();
  return products;
}

const [ia3] = methods.ia3.plan({});
const [dora] = methods.lora.plan({ rank: [4], use_dora: true });
const [someLayers] = methods.lora.plan({ rank: [4], lora_layers: [1], lora_bias: "all" });
const cases: Record<string, [method: Method, frozenDtype?: Dtype]> = {
  full: [{ method: "full" }],
  lora: [loraDefaults(4)],
  "lora over bf16": [loraDefaults(8), "bf16"],
  "lora of a layer, all biases": [someLayers],
  "shared adapter": [{ method: "adapter", size: 8, placement: "shared" }],
  "houlsby adapter over bf16": [{ method: "adapter", size: 8, placement: "houlsby" }, "bf16"],
  "output adapter": [{ method: "adapter", size: 8, placement: "output" }],
  ia3: [ia3],
  "ia3 over f16": [ia3, "f16"],
  dora: [dora],
  "dora over bf16": [dora, "bf16"],
};

for (const [name, [method, frozenDtype]] of Object.entries(cases)) {
  Deno.test(`the products of a traced step are those of a real one: ${name}`, async () => {
    for (const classes of [3, 8]) { // the classifier's products fit tiles with 8 only
      const options = { config, method, classes, frozenDtype };
      const lengths = [5, 9, 2, 16, 8];
      const expected = await launched(options, lengths);
      const products = stepProducts(fresh(), options, { sentences: 5, tokens: 40 });
      assert.ok(products.length > 10);
      assert.deepEqual(products, expected);
    }
  });
}

const distinct = (products: Product[]) =>
  [
    ...new Set(products.map(({ transpose, rows, columns, inner, dtype, stack }) =>
      `${transpose} ${rows}×${columns}×${inner} ${dtype} ${stack}`
    )),
  ].sort();

/** The three products of linear layers [out, in], forward and for the gradients of input and weight. */
function productsOf(
  [outputs, inputs]: [number, number],
  { rows = 320, dtype = "f32", stack = 1, trains = false } = {},
): string[] {
  return [
    `NT ${rows}×${outputs}×${inputs} ${dtype} ${stack}`,
    `NN ${rows}×${inputs}×${outputs} ${dtype} ${stack}`,
    ...(trains ? [`TN ${outputs}×${inputs}×${rows} ${dtype} ${stack}`] : []),
  ];
}

/** bert-base's layers: query, key and value in a stack, attention's output, the feed-forward, the pooler. */
const layersOf = (options: { dtype?: Dtype; trains?: boolean }) => [
  ...productsOf([768, 768], { ...options, stack: 3 }),
  ...productsOf([768, 768], options),
  ...productsOf([3072, 768], options),
  ...productsOf([768, 3072], options),
  ...productsOf([768, 768], { ...options, rows: 16 }),
];

Deno.test("a step's products are those of its layers, stacked for query, key and value", async () => {
  const device = await testDevice();
  const of = (method: Method, frozenDtype?: Dtype) => {
    const options = { config: bertBaseUncased, method, classes: 13, frozenDtype };
    return stepProducts(device, options, { sentences: 16, tokens: 320 });
  };
  const lora = of(loraDefaults(8), "bf16");
  // Nothing trains below the first layer's query, key and value: their input gets no gradient.
  assert.equal(lora.length, 2 * (12 * 4 + 1) - 1);
  assert.deepEqual(lora[0], {
    transpose: "NT",
    rows: 320,
    columns: 768,
    inner: 768,
    dtype: "bf16",
    stack: 3,
  });
  assert.ok(lora.every(({ transpose }) => transpose !== "TN"));
  assert.deepEqual(distinct(lora), layersOf({ dtype: "bf16" }).sort());

  const full = of({ method: "full" }, "bf16");
  assert.equal(full.length, 3 * (12 * 4 + 1));
  assert.ok(full.every(({ dtype }) => dtype === "f32"));
  assert.deepEqual(distinct(full), layersOf({ trains: true }).sort());
  assert.ok(new Set(full.map(shapeClass)).size <= 9);

  const adapter = of({ method: "adapter", size: 64, placement: "shared" });
  const bottleneck = [
    ...productsOf([64, 768], { trains: true }),
    ...productsOf([768, 64], { trains: true }),
  ];
  assert.deepEqual(distinct(adapter), [...layersOf({}), ...bottleneck].sort());
  // One bottleneck in all 12 layers; the first one's input gets no gradient, nor what lies below it.
  assert.equal(adapter.length, (12 * 4 + 1) + (11 * 4 + 1) + 12 * 6 - 1);
});
