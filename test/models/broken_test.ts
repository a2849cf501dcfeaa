/** Goldens prove something only if a broken copy fails them: each test breaks one thing and looks. */
import assert from "node:assert/strict";
import { createDevice, type Device } from "../../engine/device.ts";
import type { Kernel } from "../../kernels/mod.ts";
import { buildBert } from "../../models/bert/encoder.ts";
import { testDevice } from "./device.ts";
import { compareGradients, compareSteps, goldenOptimizer } from "./golden_run.ts";
import { goldenModel, openGolden } from "./goldens.ts";

/** A device that launches a changed copy of one kernel. */
async function deviceWithBroken(name: string, from: string, to: string): Promise<Device> {
  const { kernels } = await testDevice();
  const device = await createDevice({ kernels: { ...kernels, broadcastLanes: 0 } });
  const { launcher } = device;
  const launch = launcher.launch.bind(launcher);
  const broken = new Map<Kernel, Kernel>();
  launcher.launch = (kernel, ...rest) => {
    if (kernel.name !== name) return launch(kernel, ...rest);
    let copy = broken.get(kernel);
    if (!copy) {
      assert.ok(kernel.source.includes(from), `${name} has no "${from}" to break`);
      broken.set(kernel, copy = { ...kernel, source: kernel.source.replace(from, to) });
    }
    launch(copy, ...rest);
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
    const device = await deviceWithBroken(kernel, from, to);
    assert.ok(await stepError(device) > caughtBySteps);
    device.destroy();
  });
}

/** The worst gradient, in units of what is allowed, and the error of the logits. */
async function gradientErrors(device: Device, withoutResidual = false) {
  const source = await openGolden("full");
  const built = await goldenModel(device, source);
  if (withoutResidual) {
    built.model = buildBert(source.config, built.parameters, {
      subLayerEnd: (module, norm) =>
        module === "bert.encoder.layer.1.attention.output" ? (dense) => norm(dense()) : undefined,
    });
  }
  const errors = await compareGradients(device, source, built);
  built.destroy();
  source.close();
  return errors;
}

Deno.test("the goldens catch a missing residual", async () => {
  const { logits, worst } = await gradientErrors(await testDevice(), true);
  assert.ok(logits > 1e-4 && worst.ratio > 1);
});

Deno.test("the goldens catch attention across sentences", async () => {
  const device = await deviceWithBroken(
    "attention.forward",
    "let sentence = sentenceOf(i);",
    "let sentence = vec2u(0, params.rows);",
  );
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
    const device = await deviceWithBroken(kernel, from, to);
    assert.ok((await gradientErrors(device)).worst.ratio > 1);
    device.destroy();
  });
}
