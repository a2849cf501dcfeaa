/**
 * `deno task bench:launches`: what a training step launches under full fine-tuning, LoRA and an adapter, kernel by
 * kernel, and the multiply-adds of its matrix products, written into docs/inside-peft.md. The step is traced as a GPU
 * would run it: nothing is computed, and the table is the same on every adapter.
 */
import { fileURLToPath } from "node:url";
import { Device, type KernelChoice } from "../engine/device.ts";
import { AdamW } from "../engine/optimizer.ts";
import { adapterPlan, type Product } from "../engine/plans.ts";
import { traceDevice } from "../engine/trace.ts";
import type { Column } from "../cli/shared/table.ts";
import { bertBaseUncased, type EncoderConfig, parseConfig } from "../models/encoders/mod.ts";
import { allocateModel } from "../models/model.ts";
import type { Method } from "../models/peft/methods.ts";
import { defaultHyperparameters } from "../models/training/events.ts";
import { applyUpdate, computeGradients } from "../models/training/step.ts";
import mini from "../assets/mini/config.json" with { type: "json" };
import { capture } from "../kernelbench/capture.ts";
import { openDevice, print } from "./command.ts";
import { markdownTable, replaceSection } from "./markdown.ts";
import { methods } from "./step_bench.ts";

/** Bytes that every WebGPU adapter binds at least; the slabs of what trains are cut by it. */
const leastBinding = 2 ** 27;

/** Sentences of a batch, tokens of each, classes. */
const [sentences, length, classes] = [16, 24, 13];

/** The launches of one step, in their order, and the products among them. */
function stepLaunches(
  { gpu, info }: Device,
  config: EncoderConfig,
  method: Method,
): { kernels: string[]; products: Product[] } {
  const choice: KernelChoice = {
    matmul: adapterPlan({ ...info, software: false }),
    broadcastLanes: 0,
    attentionTextures: false,
    rowLanes: 32,
    activations: "f32",
    nativeF16: false,
  };
  const device = traceDevice(new Device(gpu, info, choice, leastBinding));
  const built = allocateModel(device, { config, method, classes });
  const optimizer = new AdamW(built.parameters, { weightDecay: 0.01, maxGradNorm: 1 });
  const batch = Array.from(
    { length: sentences },
    (_, label) => ({ ids: new Array(length).fill(0), label: label % classes }),
  );
  const products: Product[] = [];
  device.onProduct = (product) => products.push(product);
  const launches = capture(device, () => {
    const training = { device, built, optimizer };
    computeGradients(training, batch, {
      ...defaultHyperparameters,
      batchSize: sentences,
      step: 0,
    });
    applyUpdate(training, 1e-3);
  });
  return { kernels: launches.map(({ kernel }) => kernel), products };
}

const configs = {
  mini: parseConfig(mini, "assets/mini/config.json"),
  "bert-base": bertBaseUncased,
};

const columns: Column[] = [
  { title: "Kernel" },
  ...Object.keys(configs).flatMap((model) =>
    Object.keys(methods).map((method) => ({ title: `${model} ${method}`, right: true }))
  ),
];

/** The table in Markdown: launches of each kernel, in all, and the products' multiply-adds. */
function launchTable(device: Device): string[] {
  const steps = Object.values(configs).flatMap((config) =>
    Object.values(methods).map((method) => stepLaunches(device, config, method))
  );
  const kernels = [...new Set(steps.flatMap(({ kernels }) => kernels))].sort();
  const multiplyAdds = (products: Product[]) =>
    products.reduce(
      (sum, { rows, columns, inner, stack = 1 }) => sum + rows * columns * inner * stack,
      0,
    );
  return markdownTable(columns, [
    ...kernels.map((kernel) => [
      kernel,
      ...steps.map((step) => String(step.kernels.filter((each) => each === kernel).length)),
    ]),
    ["all launches", ...steps.map(({ kernels }) => String(kernels.length))],
    [
      "multiply-adds of products, 10⁹",
      ...steps.map(({ products }) => (multiplyAdds(products) / 1e9).toFixed(2)),
    ],
  ]);
}

/** The document with the table in its place. */
export const withLaunches = (document: string, device: Device): string =>
  replaceSection(document, "launches", launchTable(device));

if (import.meta.main) {
  const path = fileURLToPath(new URL("../docs/inside-peft.md", import.meta.url));
  const device = await openDevice();
  const before = await Deno.readTextFile(path);
  const after = withLaunches(before, device);
  device.destroy();
  if (after !== before) await Deno.writeTextFile(path, after);
  print([`docs/inside-peft.md ${after === before ? "is up to date" : "has a new table"}.`]);
}
