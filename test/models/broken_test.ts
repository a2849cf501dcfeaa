/** Goldens prove something only if a broken copy fails them: each test breaks one thing and looks. */
import assert from "node:assert/strict";
import { createDevice, type Device, type KernelChoice } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { noGrad } from "../../engine/tape.ts";
import type { Kernel } from "../../kernels/mod.ts";
import { bindModel, type EncoderConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { hostFolder } from "../../models/host/files.ts";
import { createModel, type MethodModel } from "../../models/model.ts";
import { modelOf } from "../../models/nn/network.ts";
import { noWrapping, type Wrapping } from "../../models/nn/wrapping.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { testDevice } from "./device.ts";
import { compareGradients, compareSteps, goldenOptimizer } from "./golden_run.ts";
import { baseOf, distance, goldenModel, openGolden, packGolden } from "./goldens.ts";

/** The kernels that every GPU can run, and those that the adapter at hand gets by itself. */
const plain: Partial<KernelChoice> = { matmul: registerPlan(2, 2), broadcastLanes: 0 };
const own: Partial<KernelChoice> = {};

/** A device that launches a changed copy of one kernel. */
async function deviceWithBroken(
  [name, from, to]: readonly [string, string, string],
  kernels = plain,
): Promise<Device> {
  const device = await createDevice({ kernels });
  const { launcher } = device;
  const launch = launcher.launch.bind(launcher);
  const broken = new Map<Kernel, Kernel>();
  launcher.launch = (kernel, ...rest) => {
    const breaks = kernel.name === name && kernel.source.includes(from); // not every variant need have it
    if (!breaks) return launch(kernel, ...rest);
    let copy = broken.get(kernel);
    if (!copy) {
      broken.set(kernel, copy = { ...kernel, source: kernel.source.replaceAll(from, to) });
    }
    launch(copy, ...rest);
  };
  const destroy = device.destroy.bind(device);
  device.destroy = () => {
    destroy();
    assert.ok(broken.size > 0, `No ${name} was launched that has "${from}" to break.`);
  };
  return device;
}

const caughtBySteps = 2e-4; // the bound that golden_test.ts sets

/** The worst error of an update, with `full` on a device and with an optimiser. */
async function stepError(device: Device, options = goldenOptimizer, warmup = 2): Promise<number> {
  const source = await openGolden("full");
  const built = await goldenModel(device, source);
  const { worst } = await compareSteps(device, source, built, options, warmup);
  built.destroy();
  source.close();
  return worst.error;
}

Deno.test("the step goldens catch missing weight decay", async () => {
  assert.ok(
    await stepError(await testDevice(), { ...goldenOptimizer, weightDecay: 0 }) > caughtBySteps,
  );
});

Deno.test("the step goldens catch missing clipping", async () => {
  assert.ok(
    await stepError(await testDevice(), { ...goldenOptimizer, maxGradNorm: 1e9 }) > caughtBySteps,
  );
});

Deno.test("the step goldens catch a wrong warm-up", async () => {
  assert.ok(await stepError(await testDevice(), goldenOptimizer, 1) > caughtBySteps);
});

for (
  const [what, kernel, from, to] of [
    ["missing bias correction", "adamw.main", "/ step.correction1", ""],
    ["a wrong second moment", "adamw.main", "params.beta2)", "params.beta1)"],
  ]
) {
  Deno.test(`the step goldens catch ${what}`, async () => {
    const device = await deviceWithBroken([kernel, from, to]);
    assert.ok(await stepError(device) > caughtBySteps);
    device.destroy();
  });
}

/** The worst gradient, in units of what is allowed, and the error of the logits. */
async function gradientErrors(
  device: Device,
  run = "full",
  change: (built: MethodModel, config: EncoderConfig) => void = () => {},
) {
  const source = await openGolden(run);
  const built = await goldenModel(device, source);
  change(built, source.config);
  const errors = await compareGradients(device, source, built);
  built.destroy();
  source.close();
  return errors;
}

Deno.test("the goldens catch a missing residual", async () => {
  const device = await testDevice();
  const { logits, worst } = await gradientErrors(device, "full", (built, config) => {
    const mode = { training: false };
    const wrapping: Wrapping = {
      ...noWrapping,
      subLayer: ({ part, scope, norm }) =>
        part === "attention" && scope.layer === 1 ? (dense) => norm(dense()) : undefined,
    };
    const { parameters } = built;
    built.model = modelOf(device, bindModel(config, 5, { parameters, mode, wrapping }), mode);
  });
  assert.ok(logits > 1e-4 && worst.ratio > 1);
});

Deno.test("the goldens catch attention across sentences", async () => {
  const device = await deviceWithBroken([
    "attention.forward",
    "let sentence = sentenceOf(i);",
    "let sentence = vec2u(0, params.rows);",
  ]);
  assert.ok((await gradientErrors(device)).logits > 1e-4);
  device.destroy();
});

for (
  const [kernel, from, to] of [
    ["gelu.backward", "+ value * density", ""],
    ["layer_norm.backward", "- normalised * means.y", ""],
    ["attention.backward_query", "- rowDelta)", ")"],
    ["attention.backward_key_value", " - statistics[n].y)", ")"],
    ["cross_entropy.backward", "- expected", ""],
    ["column_sum.main", "var row = local.y;", "var row = local.y + 1;"],
    ["embedding.backward", "t < slot.last", "t < slot.first + 1"],
    ["tanh.backward", "1 - t * t", "1"],
  ]
) {
  Deno.test(`the gradient goldens catch "${to}" for "${from}" in ${kernel}`, async () => {
    const device = await deviceWithBroken([kernel, from, to]);
    assert.ok((await gradientErrors(device)).worst.ratio > 1);
    device.destroy();
  });
}

/** LoRA's kernels where no ranks are handed round, and those of DoRA, of IA³ and of heads that are padded. */
const ofMethods = [
  ["lora", "lora_a.project", "params.scale * shares[0][lane]", "shares[0][lane]"],
  ["wide-lora", "lora_a.project", "z % groups * 4", "0"],
  ["lora", "lora_a.gradient", "addGradient(id, local, params.scale)", "addGradient(id, local, 1)"],
  ["lora", "lora_a.gradient", "total += shares", "total = shares"],
  ["lora", "lora_a.input_gradient", "loadVector(dx[at]) + params", "params"],
  ["lora", "lora_a.input_gradient", "layer < params.layers", "layer < 1"],
  ["lora", "lora_b.output_gradient", "half > 0", "half > 1"],
  ["lora", "lora_b.output_gradient", "(params.slots >> (4 * layer)) & 15", "layer"],
  ["wide-lora", "lora_b.output_gradient", "z % groups * 4", "0"],
  ["wide-lora", "lora_b.gradient", "z % groups * 4", "0"],
  ["lora", "lora_b.gradient", "row += 16", "row += 32"],
  ["ia3", "scale_columns.main", "divided(factor[column], column)", "divided(factor[0], column)"],
  ["ia3", "scale_columns.gradient", "row += 16", "row += 32"],
  ["dora", "scale_columns.main", "divisor[column]", "divisor[0]"],
  ["dora", "scale_columns.main", "shift[column]", "shift[0]"],
  ["dora", "scale_columns.gradient", "divisor[column]", "divisor[0]"],
  ["dora", "lora_row_norms.main", "+ params.scale * update", ""],
  ["dora", "lora_row_norms.main", "half > 0", "half > 1"],
  ["odd-full", "pad_heads.main", "d < params.sizeX", "true"],
  ["odd-full", "pad_heads.main", "i / params.sizeY * params.sizeX", "i"],
] as const;

for (const [run, ...change] of ofMethods) {
  const [kernel, from, to] = change;
  Deno.test(`the goldens of ${run} catch "${to}" for "${from}" in ${kernel}`, async () => {
    const device = await deviceWithBroken(change);
    const { logits, worst } = await gradientErrors(device, run);
    assert.ok(logits > 1e-4 || worst.ratio > 1, `logits ${logits}, ${worst.name} ${worst.ratio}`);
    device.destroy();
  });
}

/**
 * How far the logits are from those of the golden `full`, of which DoRA at its start, B = 0, is no change, dropout
 * included: (x − x′) Wᵀ + x′ Wᵀ = x Wᵀ. Of the goldens none has dropout, without which no model subtracts.
 */
async function doraErrorAtStart(device: Device): Promise<number> {
  const { close, config, batches, numbers } = await openGolden("full");
  const method = { ...loraDefaults(4), useDora: true, dropout: 0.5 };
  const weights = await openWeights(hostFolder(baseOf("full")), config, 5);
  const built = await createModel(device, { config, method, classes: 5, weights, seed: 1 });
  built.model.training = true;
  device.beginStep(0, 0);
  const batch = packGolden(device, { config }, batches[0]);
  const logits = await noGrad(() => built.model.logits(batch)).read();
  device.endStep();
  built.destroy();
  weights.close();
  close();
  return distance(logits, numbers.logits.flat());
}

Deno.test("the golden of full, which DoRA with dropout starts as, catches a lost sign in add.forward", async () => {
  const whole = await createDevice({ kernels: plain });
  const error = await doraErrorAtStart(whole);
  assert.ok(error < 1e-4, `${error}`);
  whole.destroy();
  const device = await deviceWithBroken(["add.forward", "params.factor", "abs(params.factor)"]);
  assert.ok(await doraErrorAtStart(device) > 1e-4);
  device.destroy();
});

/** Of the kernels that hand rows round in a subgroup, as CI and everyone without a GPU train with. */
const inSubgroups = [
  ["matmul.NT.main", "subgroupBroadcast(own0_0, u32(1))", "subgroupBroadcast(own0_0, u32(0))"],
  ["matmul.NN.main", "subgroupBroadcast(own0_0, u32(1))", "subgroupBroadcast(own0_0, u32(0))"],
  ["matmul.TN.main", "subgroupBroadcast(own0, u32(1))", "subgroupBroadcast(own0, u32(0))"],
  ["attention.forward", "row >= sentence.x && row < sentence.y", "row >= sentence.x"],
  ["attention.forward", "sum0 *= shrink0;", ""],
  ["attention.backward_query", "- delta0)", ")"],
  ["attention.backward_key_value", "- statistics0.y)", ")"],
  ["lora_a.project", "subgroupBroadcast(own, u32(1))", "subgroupBroadcast(own, u32(0))"],
  ["lora_a.gradient", "subgroupBroadcast(own, u32(1))", "subgroupBroadcast(own, u32(0))"],
  ["lora_a.input_gradient", "subgroupBroadcast(own0, u32(1))", "subgroupBroadcast(own0, u32(0))"],
  ["lora_b.output_gradient", "subgroupBroadcast(own, u32(1))", "subgroupBroadcast(own, u32(0))"],
  ["lora_b.gradient", "subgroupBroadcast(own, u32(1))", "subgroupBroadcast(own, u32(0))"],
] as const;
const subgroups = (await testDevice()).kernels.broadcastLanes === 8;

for (const change of inSubgroups) {
  const [kernel, from, to] = change;
  Deno.test({
    name: `in subgroups, the goldens catch "${to}" for "${from}" in ${kernel}`,
    ignore: !subgroups,
    async fn() {
      const run = kernel.startsWith("lora") ? "wide-lora" : "wide-full";
      const device = await deviceWithBroken(change, own);
      const { logits, worst } = await gradientErrors(device, run);
      assert.ok(logits > 1e-4 || worst.ratio > 1, `logits ${logits}, ${worst.name} ${worst.ratio}`);
      device.destroy();
    },
  });
}

for (
  const { which, kernels, runs, ignore } of [
    {
      which: "the plain kernels",
      kernels: plain,
      runs: ["full", ...ofMethods.map(([run]) => run)],
      ignore: false,
    },
    {
      which: "the kernels in subgroups",
      kernels: own,
      runs: ["wide-full", "wide-lora"],
      ignore: !subgroups,
    },
  ]
) {
  Deno.test({
    name: `unbroken, ${which} pass the same goldens`,
    ignore,
    async fn() {
      const device = await createDevice({ kernels });
      for (const run of new Set(runs)) {
        const { logits, worst } = await gradientErrors(device, run);
        assert.ok(
          logits < 1e-4 && worst.ratio < 1,
          `${run}: ${logits}, ${worst.name} ${worst.ratio}`,
        );
      }
      device.destroy();
    },
  });
}
