/** A run that is stopped and goes on is the run that was not stopped, bit for bit; one that is left holds nothing. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { candidatePlans, workgroupPlan } from "../../engine/plans.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { TrainState } from "../../models/training/state.ts";
import { testDevice } from "../models/device.ts";
import { bits, methods, run, start } from "./small_task.ts";

const settings = { epochs: 3 };

/** The state of a run after so many steps; the run is left there. */
async function stateAfter(steps: number, method: Method): Promise<TrainState> {
  for await (const event of await start(method, settings, { checkpointSteps: 2 })) {
    if (event.type === "checkpoint" && event.step === steps) return await event.capture();
  }
  throw new Error(`No checkpoint after ${steps} steps.`);
}

for (const [what, method] of Object.entries(methods)) {
  for (
    const [where, steps] of [["within an epoch", 2], ["at an epoch's end", 6], [
      "in the last one",
      14,
    ]] as const
  ) {
    Deno.test(`${what}: stopped ${where}, a run goes on to the same bits`, async () => {
      const whole = await run(method, settings);
      const state = await stateAfter(steps, method);
      // As plain data, as from a disk, and on another device.
      const { gpu, info, kernels } = await testDevice();
      const device = new Device(gpu, info, kernels);
      const rest = await run(method, settings, { from: structuredClone(state), device });
      assert.deepEqual(
        rest.steps.map(({ step, loss, gradientNorm }) => [step, loss, gradientNorm]),
        whole.steps.slice(state.step).map((
          { step, loss, gradientNorm },
        ) => [step, loss, gradientNorm]),
      );
      assert.deepEqual(bits(rest.result), bits(whole.result));
      assert.equal(rest.result.bestEpoch, whole.result.bestEpoch);
      assert.deepEqual(rest.result.validation, whole.result.validation);
      assert.deepEqual(rest.result.test, whole.result.test);
    });
  }
}

/** The state in which a run stops when it asks for the so-manieth time whether to. */
async function stateWhenAsked(times: number): Promise<TrainState> {
  let asked = 0;
  const stopRequested = () => ++asked === times;
  for await (const event of await start(loraDefaults(4), settings, { stopRequested })) {
    if (event.type === "checkpoint" && asked === times) return await event.capture();
  }
  throw new Error(`The run asked ${asked} times whether to stop.`);
}

/** It asks after each of an epoch's 6 steps, and before each of the 2 batches of an evaluation. */
const asksOfEpoch = 8;
for (
  const [where, times, position] of [
    ["after a step", asksOfEpoch + 3, { step: 9, epoch: 1, stepsOfEpoch: 3 }],
    ["after an epoch's last step", asksOfEpoch + 6, { step: 12, epoch: 1, stepsOfEpoch: 6 }],
    ["within an epoch's evaluation", 2 * asksOfEpoch, { step: 12, epoch: 1, stepsOfEpoch: 6 }],
    ["within the test", 3 * asksOfEpoch + 2, { step: 18, epoch: 3, stepsOfEpoch: 0 }],
  ] as const
) {
  Deno.test(`asked to stop ${where}, a run goes on later to the same bits`, async () => {
    const whole = await run(loraDefaults(4), settings);
    const state = await stateWhenAsked(times);
    const { step, epoch, stepsOfEpoch, evaluations } = state;
    assert.deepEqual({ step, epoch, stepsOfEpoch }, position);
    assert.deepEqual(evaluations, whole.result.validation.slice(0, epoch));
    const rest = await run(loraDefaults(4), settings, { from: structuredClone(state) });
    assert.deepEqual(
      rest.steps.map(({ step, loss }) => [step, loss]),
      whole.steps.slice(step).map(({ step, loss }) => [step, loss]),
    );
    assert.deepEqual(bits(rest.result), bits(whole.result));
    assert.deepEqual(rest.result.validation, whole.result.validation);
    assert.deepEqual(rest.result.test, whole.result.test);
  });
}

Deno.test("a run that is asked to stop all the time, and not left, comes to its end", async () => {
  const whole = await run(loraDefaults(4), settings);
  const asked = await run(loraDefaults(4), settings, { stopRequested: () => true });
  assert.deepEqual(asked.steps.map(({ loss }) => loss), whole.steps.map(({ loss }) => loss));
  assert.deepEqual(bits(asked.result), bits(whole.result));
  assert.deepEqual(asked.result.test, whole.result.test);
  const checkpoints = asked.events.filter(({ type }) => type === "checkpoint");
  assert.equal(checkpoints.length, 18 + 3 + 3 + 1); // steps, epochs, their evaluations, the test
});

Deno.test("a state brings its plans along", async () => {
  const { gpu, info, kernels } = await testDevice();
  const first = new Device(gpu, info, kernels);
  const plan = candidatePlans(info, kernels.matmul)[1];
  first.tunedPlans = { "NT f32 small": plan };
  let state: TrainState | undefined;
  for await (const event of await start({ method: "full" }, settings, { device: first })) {
    if (event.type === "checkpoint") state = await event.capture();
    if (state) break;
  }
  const second = new Device(gpu, info, kernels);
  const stream = await start({ method: "full" }, settings, { device: second, from: state });
  await stream.next();
  assert.deepEqual(second.tunedPlans, first.tunedPlans);
  await stream.return();
  assert.deepEqual(second.tunedPlans, {}); // the run's, not the device's
  const odd = { ...plan, workgroup: [1e6, 0] } as typeof plan;
  const tuned = { "NT f32 small": plan, "NN f32 small": odd };
  const from = { ...state!, kernels: { ...state!.kernels, tuned } };
  const third = new Device(gpu, info, kernels);
  const damaged = await start({ method: "full" }, settings, { device: third, from });
  const { value } = await damaged.next();
  assert.ok(value?.type === "start");
  assert.match(value.warnings.join(), /began with other kernels/);
  assert.deepEqual(third.tunedPlans, first.tunedPlans); // what no adapter can take is left out
  await damaged.return();
});

Deno.test("a state from another adapter, or of other kernels, is gone on from with a warning", async () => {
  const state = await stateAfter(2, loraDefaults(4));
  const { kernels } = state;
  const plan = workgroupPlan(1, 1, { inner: 8, workgroup: [4, 4] });
  const { gpu, info, kernels: choice } = await testDevice();
  const warningsOf = async (changes: Partial<TrainState["kernels"]>) => {
    const device = new Device(gpu, info, choice);
    const from = { ...state, kernels: { ...kernels, ...changes } };
    const stream = await start(loraDefaults(4), settings, { device, from });
    const { value } = await stream.next();
    assert.ok(value?.type === "start");
    const tuned = device.tunedPlans;
    await stream.return();
    return { warnings: value.warnings, tuned };
  };
  assert.deepEqual(await warningsOf({}), { warnings: [], tuned: {} });
  const elsewhere = await warningsOf({ adapter: "other", tuned: { "NT f32 small": plan } });
  assert.match(elsewhere.warnings.join(), /began with another adapter/);
  assert.deepEqual(elsewhere.tuned, {}); // says nothing here
  const otherChoice = await warningsOf({ choice: { ...choice, rowLanes: 3 } });
  assert.match(otherChoice.warnings.join(), /began with other kernels/);
});

Deno.test("the rest of a run tells the whole one's time and memory", async () => {
  const state = await stateAfter(2, loraDefaults(4));
  assert.ok(state.totalSeconds > 0 && state.peakGpuBytes > 0);
  const from = { ...state, totalSeconds: 1000, seconds: 900, peakGpuBytes: 1e12 };
  const { result } = await run(loraDefaults(4), settings, { from });
  assert.ok(result.totalSeconds > 1000 && result.trainingSeconds > 900);
  assert.equal(result.peakGpuBytes, 1e12);
});

Deno.test("another run's state is refused, with the setting that differs", async () => {
  const from = await stateAfter(2, loraDefaults(4));
  const refused = (
    method: Method,
    message: RegExp,
    changes: object = {},
    options: { config?: object } = {},
  ) => assert.rejects(run(method, { ...settings, ...changes }, { from, ...options }), message);
  await refused(loraDefaults(8), /another run's: its method.rank is 4, not 8/);
  await refused({ method: "full" }, /its method.method is "lora", not "full"/);
  await refused(loraDefaults(4), /its hyperparameters.seed is 42, not 43/, { seed: 43 });
  await refused(loraDefaults(4), /its hyperparameters.epochs is 3, not 4/, { epochs: 4 });
  await refused(loraDefaults(4), /its model.layerNormEps is/, {}, { config: { layerNormEps: 1 } });
  const weights = new Map([...from.weights].slice(1));
  const damaged = { ...from, weights };
  await assert.rejects(
    run(loraDefaults(4), settings, { from: damaged }),
    /has nothing for "classifier.weight" \[3, 32\]/,
  );
});

Deno.test("a run that cannot start leaves no memory behind", async () => {
  const device = await testDevice();
  const state = await stateAfter(2, loraDefaults(4));
  const optimizer = { ...state.optimizer, moments: new Map() };
  device.trim();
  const held = device.memory.heldBytes;
  const starts = [
    run(loraDefaults(4), { ...settings, seed: 43 }, { from: state }),
    run(loraDefaults(4), settings, { from: { ...state, optimizer } }),
  ];
  for (const start of starts) await assert.rejects(start);
  assert.throws(
    () =>
      device.memory.allOrNothing(() => {
        device.memory.allocate(1000);
        device.memory.allOrNothing(() => device.memory.allocate(1000));
        device.memory.allocate(device.gpu.limits.maxBufferSize + 1);
      }),
    /Out of GPU memory/,
  );
  device.trim();
  assert.equal(device.memory.heldBytes, held);
});

Deno.test("a consumer that stops at any event leaves no memory behind", async () => {
  const device = await testDevice();
  device.trim();
  const held = device.memory.heldBytes;
  for (const type of ["start", "step", "checkpoint", "evaluation"] as const) {
    const stream = await start(loraDefaults(4), settings, { checkpointSteps: 2 });
    for await (const event of stream) if (event.type === type) break;
    device.trim();
    assert.equal(device.memory.heldBytes, held, `${type}: ${device.memory.heldBytes - held} bytes`);
  }
  await stateWhenAsked(2 * asksOfEpoch);
  device.trim();
  assert.equal(device.memory.heldBytes, held);
});
