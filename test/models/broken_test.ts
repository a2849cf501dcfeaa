/** Goldens prove something only if a broken copy fails them: each test breaks one thing and looks. */
import assert from "node:assert/strict";
import { createDevice, type Device, type KernelChoice } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import type { Kernel } from "../../kernels/mod.ts";
import { bindModel, type EncoderConfig } from "../../models/encoders/mod.ts";
import type { MethodModel } from "../../models/model.ts";
import { modelOf } from "../../models/nn/network.ts";
import { noWrapping, type Wrapping } from "../../models/nn/wrapping.ts";
import { testDevice } from "./device.ts";
import { compareGradients, compareSteps, goldenOptimizer } from "./golden_run.ts";
import { goldenModel, openGolden } from "./goldens.ts";

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
    if (kernel.name !== name) return launch(kernel, ...rest);
    let copy = broken.get(kernel);
    if (!copy) {
      assert.ok(kernel.source.includes(from), `${name} has no "${from}" to break`);
      broken.set(kernel, copy = { ...kernel, source: kernel.source.replaceAll(from, to) });
    }
    launch(copy, ...rest);
  };
  const destroy = device.destroy.bind(device);
  device.destroy = () => {
    destroy();
    assert.ok(broken.size > 0, `${name} was not launched`);
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

Deno.test({
  name: "unbroken, the kernels in subgroups pass the same goldens",
  ignore: !subgroups,
  async fn() {
    const device = await createDevice({ kernels: own });
    for (const run of ["wide-full", "wide-lora"]) {
      const { logits, worst } = await gradientErrors(device, run);
      assert.ok(
        logits < 1e-4 && worst.ratio < 1,
        `${run}: ${logits}, ${worst.name} ${worst.ratio}`,
      );
    }
    device.destroy();
  },
});
