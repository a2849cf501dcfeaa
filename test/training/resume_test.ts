/** A run that is stopped and goes on is the run that was not stopped, bit for bit; one that is left holds nothing. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { TrainState } from "../../models/training/state.ts";
import { testDevice } from "../models/device.ts";
import { bits, run, start } from "./small_task.ts";

const settings = { epochs: 3 };

/** The state of a run after so many steps; the run is left there. */
async function stateAfter(steps: number, method: Method): Promise<TrainState> {
  for await (const event of await start(method, settings, { checkpointSteps: 2 })) {
    if (event.type === "checkpoint" && event.step === steps) return await event.capture();
  }
  throw new Error(`No checkpoint after ${steps} steps.`);
}

const methods: Method[] = [
  { method: "full" },
  loraDefaults(4),
  { ...loraDefaults(4), useDora: true },
  { method: "adapter", size: 8, placement: "shared" },
];
for (const method of methods) {
  const what = "useDora" in method && method.useDora ? "dora" : method.method;
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

Deno.test("a state brings its plans along", async () => {
  const { gpu, info, kernels } = await testDevice();
  const first = new Device(gpu, info, kernels);
  const plan = { kind: "workgroup", rows: 1, columns: 1, inner: 8, workgroup: [4, 4] } as const;
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
});

Deno.test("a state of another method, model or seed is refused", async () => {
  const from = await stateAfter(2, loraDefaults(4));
  const refused = (method: Method, changes: object, message: RegExp) =>
    assert.rejects(run(method, { ...settings, ...changes }, { from }), message);
  await refused(loraDefaults(8), {}, /has \[4, 32\] for ".*lora_A.*" \[8, 32\]/);
  await refused({ method: "full" }, {}, /has nothing for "bert/);
  await refused(loraDefaults(4), { seed: 43 }, /has the seed 42, not 43/);
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
});
