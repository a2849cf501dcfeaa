/** Training with activations and gradients in 16 bits: as in f32 to 1e-2, in half the memory. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { AdamW } from "../../engine/optimizer.ts";
import { adapterPlan, registerPlan } from "../../engine/plans.ts";
import { traceDevice } from "../../engine/trace.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { allocateModel } from "../../models/model.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, runName } from "../../models/peft/methods.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import { computeGradients } from "../../models/training/step.ts";
import { bits, run, start } from "./small_task.ts";

const half = await createDevice({ computeDtype: "f16", kernels: { matmul: registerPlan(2, 2) } });
const exact = new Device(half.gpu, half.info, { ...half.kernels, activations: "f32" });
const adapter = { method: "adapter", size: 8, placement: "shared" } as const;

const settings = { epochs: 3, frozenDtype: "f16", computeDtype: "f16" } as const;

const methods: Method[] = [
  { method: "full" },
  loraDefaults(4),
  adapter,
  // What no tile fits goes through f32: a rank and a size that are no multiples of 4.
  { ...loraDefaults(3), useDora: true },
  { ...adapter, size: 5, placement: "houlsby" },
];
for (const method of methods) {
  Deno.test(`f16 activations: ${runName(method)} has the losses of f32 within 1e-2 over 50 steps`, async () => {
    const changes = { maxSteps: 50, learningRate: 1e-3 };
    const packed = await run(method, { ...settings, ...changes }, { device: half });
    const plain = await run(method, changes, { device: exact });
    assert.equal(packed.steps.length, 50);
    assert.ok(packed.steps.every(({ skipped }) => !skipped));
    const errors = packed.steps.map(({ loss }, i) => Math.abs(loss / plain.steps[i].loss - 1));
    assert.ok(Math.max(...errors) <= 1e-2, errors.join(" "));
    assert.ok(Math.max(...errors) > 0, "nothing was rounded");
  });
}

/** The state of a run in f16 after eight of its steps. */
async function stateAfterEight(method: Method): Promise<TrainState> {
  const options = { device: half, checkpointSteps: 8 };
  for await (const event of await start(method, settings, options)) {
    if (event.type === "checkpoint" && event.step === 8) return await event.capture();
  }
  throw new Error("No checkpoint.");
}

Deno.test("f16 activations: a run that was stopped goes on to the same bits", async () => {
  const method = loraDefaults(4);
  const whole = await run(method, settings, { device: half });
  const from = await stateAfterEight(method);
  assert.deepEqual(from.optimizer.lossScale, { factor: 1024, steps: 8 });
  const rest = await run(method, settings, { device: half, from });
  assert.deepEqual(bits(rest.result), bits(whole.result));
});

Deno.test("a run from before there was a choice goes on as one in f32, and not in f16", async () => {
  const { gpu, info } = half;
  const stateOf = async (device: Device) => {
    const options = { device, checkpointSteps: 8 };
    for await (const event of await start(loraDefaults(4), { epochs: 3 }, options)) {
      if (event.type === "checkpoint" && event.step === 8) return await event.capture();
    }
    throw new Error("No checkpoint.");
  };
  const device = new Device(gpu, info, exact.kernels);
  const from = structuredClone(await stateOf(device));
  Object.assign(from.of.hyperparameters, { computeDtype: undefined });
  Object.assign(from.kernels.choice, { activations: undefined, nativeF16: undefined });
  const older: TrainState = JSON.parse(JSON.stringify({ of: from.of, kernels: from.kernels }));
  const state = { ...from, ...older };
  assert.ok(
    !("computeDtype" in state.of.hyperparameters) && !("activations" in state.kernels.choice),
  );
  const { events } = await run(loraDefaults(4), { epochs: 3 }, { device, from: state });
  assert.deepEqual(events.flatMap((event) => event.type === "start" ? event.warnings : []), []);
  await assert.rejects(
    run(loraDefaults(4), { epochs: 3, computeDtype: "f16" }, { device: half, from: state }),
    /its hyperparameters\.computeDtype is "f32", not "f16"/,
  );
});

Deno.test("f16 activations: gradients beyond its range are skipped until the loss scale fits", async () => {
  const method = loraDefaults(4);
  const from = await stateAfterEight(method);
  from.optimizer.lossScale = { factor: 2 ** 24, steps: 0 };
  const { steps, result } = await run(method, settings, { device: half, from });
  const skipped = steps.filter(({ skipped }) => skipped);
  assert.ok(skipped.length > 1, "nothing was skipped");
  assert.ok(skipped.length < steps.length, "no scale was small enough");
  assert.ok(steps.slice(skipped.length).every(({ skipped }) => !skipped), "it goes up to fall");
  assert.ok(skipped.every(({ gradientNorm }) => gradientNorm === 0));
  assert.ok(steps.every(({ loss }) => Number.isFinite(loss)));
  assert.ok(Number.isFinite(result.test.loss));
});

Deno.test("f16 activations: what is no number without a scale, too, ends the run", async () => {
  const changes = { ...settings, learningRate: 1e9, maxGradNorm: 0, warmupSteps: 0 };
  await assert.rejects(
    run({ method: "full" }, changes, { device: half }),
    /the loss is .*\. The learning rate is too high, or the weights are damaged, or a value is beyond f16's range of 65504\./,
  );
});

Deno.test("f16 activations: gradient checkpointing gives the same bits", async () => {
  const changes = { ...settings, epochs: 1 };
  const [plain, saving] = [
    await run(adapter, changes, { device: half }),
    await run(adapter, changes, { device: half, gradientCheckpointing: true }),
  ];
  assert.deepEqual(bits(saving.result), bits(plain.result));
});

/** Bytes of a step of 16 texts of 128 tokens besides the model, its gradients and AdamW's moments. */
function batchBytes(activations: "f32" | "f16", method: Method): number {
  const { gpu, info, kernels } = half;
  const device = traceDevice(
    new Device(gpu, info, {
      ...kernels,
      activations,
      matmul: adapterPlan({ ...info, software: false }),
      broadcastLanes: 0,
      attentionTextures: false, // a GPU's: textures come on top
    }),
  );
  const built = allocateModel(device, { config: bertBaseUncased, method, classes: 13 });
  const optimizer = new AdamW(built.parameters, { weightDecay: 0, maxGradNorm: 1 });
  const before = device.memory.heldBytes;
  const batch = Array.from({ length: 16 }, () => ({ ids: new Array(128).fill(0), label: 0 }));
  const options = { ...defaultHyperparameters, step: 0 };
  computeGradients({ device, built, optimizer }, batch, options);
  return device.memory.peakBytes - before;
}

Deno.test("f16 activations take half the memory of f32's, in a step of bert-base", () => {
  for (const method of [{ method: "full" }, loraDefaults(8), { ...adapter, size: 64 }] as const) {
    const [packed, plain] = [batchBytes("f16", method), batchBytes("f32", method)];
    const share = packed / plain;
    assert.ok(share > 0.5 && share < 0.51, `${runName(method)}: ${packed} of ${plain} bytes`);
  }
});
