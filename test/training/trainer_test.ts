/** The trainer on a small task that can be learnt. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { UserError } from "../../models/errors.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import { epochBatches } from "../../models/training/batches.ts";
import type { Hyperparameters, StepEvent } from "../../models/training/events.ts";
import { testDevice } from "../models/device.ts";
import { bits, run, type RunChanges, task } from "./small_task.ts";

Deno.test("full fine-tuning learns, and its events add up", async () => {
  const { events, steps, result } = await run({ method: "full" }, { epochs: 12 });
  assert.deepEqual(steps.map(({ step }) => step), Array.from({ length: 72 }, (_, i) => i + 1));
  assert.equal(steps[0].learningRate, 0, "the very first step moves nothing");
  assert.ok(steps.at(-1)!.loss < 0.6 * steps[0].loss, `${steps[0].loss} → ${steps.at(-1)!.loss}`);
  assert.ok(result.test.accuracy > 0.6, `accuracy ${result.test.accuracy}`);
  const evaluations = events.filter((event) => event.type === "evaluation");
  assert.deepEqual(evaluations.map(({ split }) => split), [
    ...Array(12).fill("validation"),
    "test",
  ]);
  const scores = result.validation.map(({ macroF1 }) => macroF1);
  assert.equal(result.bestEpoch, 1 + scores.indexOf(Math.max(...scores)));
  assert.ok(result.peakGpuBytes > 4 * 4 * result.trainableParameters);
});

for (
  const method of [loraDefaults(4), { method: "adapter", size: 8, placement: "houlsby" }] as const
) {
  Deno.test(`${method.method}: the same seed gives the same bits, another seed others`, async () => {
    const [first, second] = [await run(method), await run(method)];
    const losses = ({ steps }: { steps: StepEvent[] }) => steps.map(({ loss }) => loss);
    assert.deepEqual(losses(first), losses(second));
    assert.deepEqual(bits(first.result), bits(second.result));
    const other = await run(method, { seed: 43 });
    assert.notDeepEqual(losses(first), losses(other));
  });
}

for (const changes of [{}, { batchSize: 8, gradientAccumulationSteps: 3 }]) {
  for (const method of [{ method: "full" } as const, loraDefaults(4)]) {
    const how = "batchSize" in changes ? ", in parts" : "";
    Deno.test(`${method.method}${how}: steps that repeat launches are those that make them`, async () => {
      const { gpu, info, kernels } = await testDevice();
      const made = new Device(gpu, info, kernels);
      let repeats = 0;
      made.launcher.repeat = (_owner, _key, run) => {
        repeats++;
        run();
      };
      const expected = await run(method, changes, { device: made });
      const repeating = new Device(gpu, info, kernels);
      const { launcher } = repeating;
      const repeat = launcher.repeat.bind(launcher);
      let runs = 0;
      launcher.repeat = (owner, key, run) =>
        repeat(owner, key, () => {
          runs++;
          run();
        });
      const actual = await run(method, changes, { device: repeating });
      assert.ok(runs < repeats, `${runs} of ${repeats} steps ran`);
      assert.deepEqual(
        actual.steps.map(({ loss }) => loss),
        expected.steps.map(({ loss }) => loss),
      );
      assert.deepEqual(bits(actual.result), bits(expected.result));
    });
  }
}

Deno.test("every method sees the same batches in the same order", async () => {
  const tokens = async (method: Method) => (await run(method)).steps.map((step) => step.tokens);
  assert.deepEqual(await tokens({ method: "full" }), await tokens(loraDefaults(4)));
});

Deno.test("a PEFT run returns its own tensors and the head, and nothing else", async () => {
  const { result } = await run({ method: "adapter", size: 8, placement: "shared" }, { epochs: 1 });
  assert.deepEqual([...result.weights.keys()].map((name) => name.split(".").slice(-3).join(".")), [
    "classifier.weight",
    "classifier.bias",
    "adapter_down.0.weight",
    "adapter_down.0.bias",
    "emotion.adapter_up.weight",
    "emotion.adapter_up.bias",
  ]);
  const values = [...result.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(values, result.trainableParameters);
});

Deno.test("runs leave no memory behind", async () => {
  const device = await testDevice();
  await run({ method: "full" }, { epochs: 1 });
  device.trim();
  const held = device.memory.heldBytes;
  await run({ method: "full" }, { epochs: 1 });
  device.trim();
  assert.equal(device.memory.heldBytes, held);
});

Deno.test("a loss that is no number ends the run, with the step and its texts", async () => {
  const changes = { learningRate: 1e30, warmupSteps: 0, maxGradNorm: 1e30 };
  const messageWith = async (options: RunChanges) => {
    const error = await run({ method: "full" }, changes, options).catch((error) => error);
    assert.ok(error instanceof UserError);
    assert.deepEqual(error.remedy, { kind: "lowerLearningRate", rate: 1e30 });
    const numbers = /the loss is \S+ and the gradient norm (NaN|Infinity)\./;
    assert.match(error.message, numbers);
    return error.message.replace(numbers, "the loss is bad.");
  };
  // Step 2 is the first with weights that the rate has spoilt.
  const step = "Step 2 of 12 (epoch 1, learning rate 9.17e+29): the loss is bad.";
  const cause = "The learning rate is too high, or the weights are damaged.";
  const [, places] = epochBatches(90, { seed: 42, epoch: 0, batchSize: 16 });
  const numbers = `${places.slice(0, 8).map((index) => index + 1).join(", ")} and 8 more`;
  const { text } = task.train[places[0]];
  assert.equal(
    await messageWith({}),
    `${step} Its texts are numbers ${numbers} of the training part; the first begins "${text}". ${cause}`,
  );
  const train = task.train.map((example, index) => ({ ...example, row: 1000 - index }));
  const rows = `${places.slice(0, 8).map((index) => 1000 - index).join(", ")} and 8 more`;
  train[places[0]].text = "2 5 6\n\t7 8 9 10 11 12 13 14 15 16 17 18 19 3";
  assert.equal(
    await messageWith({ split: { ...task, train }, encode: () => [2, 5, 3] }),
    `${step} Its texts are rows ${rows} of the data set, numbers ${numbers} of the training part; ` +
      `row ${1000 - places[0]} begins "2 5 6 7 8 9 10 11 12 13 14 15 16 17 18 …". ${cause}`,
  );
});

Deno.test("a warm-up that never ends is warned of", async () => {
  const { events } = await run({ method: "full" }, { epochs: 1, warmupSteps: 100 });
  assert.ok(events[0].type === "start");
  assert.match(events[0].warnings.join(), /All 6 steps lie within the warm-up of 100/);
});

Deno.test("the rate moves by the schedule, its warm-up a number of steps or a share of them", async () => {
  const changes = { epochs: 1, learningRate: 1e-3 };
  const ratesOf = async (settings: Partial<Hyperparameters>) => {
    const { steps, events } = await run({ method: "full" }, { ...changes, ...settings });
    assert.ok(events[0].type === "start");
    return { rates: steps.map(({ learningRate }) => learningRate), warned: events[0].warnings };
  };
  const close = (rates: number[], factors: number[]) =>
    factors.forEach((factor, i) =>
      assert.ok(Math.abs(rates[i] - 1e-3 * factor) < 1e-9, `${rates}`)
    );
  const cosine = await ratesOf({ scheduler: "cosine", warmupSteps: 2 });
  close(cosine.rates, [0, 0.5, 1, 0.853553391, 0.5, 0.146446609]);
  const share = await ratesOf({ warmupRatio: 0.4, warmupSteps: 100 }); // ⌈0.4 · 6⌉ = 3
  close(share.rates, [0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3]);
  const constant = await ratesOf({ scheduler: "constant", warmupSteps: 100 });
  close(constant.rates, [1, 1, 1, 1, 1, 1]);
  assert.deepEqual([cosine, share, constant].flatMap(({ warned }) => warned), []);
});

Deno.test("a greatest gradient norm of 0 clips nothing", async () => {
  const runs = [];
  for (const maxGradNorm of [0, 1e9, 1e-3]) {
    const settings = { epochs: 1, warmupSteps: 0, maxGradNorm };
    runs.push(bits((await run({ method: "full" }, settings)).result));
  }
  assert.deepEqual(runs[0], runs[1]);
  assert.notDeepEqual(runs[0], runs[2]);
});

Deno.test("batches hold every sentence once, in an order that the epoch changes", () => {
  const options = { seed: 1, epoch: 0, batchSize: 16 };
  const batches = epochBatches(90, options);
  assert.deepEqual(batches.map(({ length }) => length), [16, 16, 16, 16, 16, 10]);
  assert.equal(new Set(batches.flat()).size, 90);
  assert.deepEqual(epochBatches(90, options), batches);
  assert.notDeepEqual(epochBatches(90, { ...options, epoch: 1 }), batches);
});

Deno.test("weights that the last update of an epoch made useless are told, as a rate too high", async () => {
  const settings = { epochs: 1, batchSize: 90, warmupSteps: 0, learningRate: 1e38 };
  await assert.rejects(
    run({ method: "full" }, settings),
    (error) =>
      error instanceof UserError && error.remedy?.kind === "lowerLearningRate" &&
      /scores are no finite numbers.*learning rate/.test(error.message),
  );
});
