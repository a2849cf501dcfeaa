/** Several processes that share every batch train what one process trains: here they share a GPU, too. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { Hyperparameters, StepEvent, TrainingResult } from "../../models/training/events.ts";
import { type Ranks, shareOf } from "../../models/training/ranks.ts";
import type { TrainState } from "../../models/training/state.ts";
import { testDevice } from "../models/device.ts";
import { bits, methods, run, type RunChanges, start } from "./small_task.ts";

/** Ranks that meet in memory; each sum is made once all have brought their values. */
function ranksInMemory(size: number): Ranks[] {
  let waiting: { values: Float32Array; done: () => void }[] = [];
  const meet = (rank: number, values: Float32Array) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting[rank] = { values, done: resolve };
    if (Object.keys(waiting).length === size) {
      const all = waiting;
      waiting = [];
      const sums = all[0].values.map((_, i) =>
        all.reduce((sum, { values }) => Math.fround(sum + values[i]), 0)
      );
      for (const { values, done } of all) {
        assert.equal(values.length, sums.length, "ranks sum different things");
        values.set(sums);
        done();
      }
    }
    return promise;
  };
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    sum: (values) => meet(rank, values),
  }));
}

/** What each of so many ranks makes of a run. */
async function together(
  size: number,
  method: Method,
  changes: Partial<Hyperparameters>,
  optionsOf: (rank: number) => RunChanges = () => ({}),
) {
  const { gpu, info, kernels } = await testDevice();
  return await Promise.all(
    ranksInMemory(size).map((ranks) => {
      const device = new Device(gpu, info, kernels);
      return run(method, changes, { device, ...optionsOf(ranks.rank), ranks });
    }),
  );
}

/** ‖a − b‖ / ‖b‖ over all weights that training determines. */
function apart(a: TrainingResult, b: TrainingResult): number {
  let [difference, norm] = [0, 0];
  for (const [name, { data }] of b.weights) {
    if (name.endsWith("key.bias")) continue; // softmax is blind to it: its gradient is rounding, which AdamW enlarges
    const other = a.weights.get(name)!.data;
    data.forEach((value, i) => {
      difference += (other[i] - value) ** 2;
      norm += value ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}

const lossesOf = (steps: StepEvent[]) => steps.map(({ loss }) => loss);

function assertSame(
  of: { steps: StepEvent[]; result: TrainingResult },
  one: { steps: StepEvent[]; result: TrainingResult },
): void {
  assert.equal(of.steps.length, one.steps.length);
  of.steps.forEach(({ loss, tokens }, i) => {
    const off = Math.abs(loss - one.steps[i].loss) / one.steps[i].loss;
    assert.ok(off < 1e-6, `step ${i + 1}: loss ${loss}, not ${one.steps[i].loss}`);
    assert.equal(tokens, one.steps[i].tokens);
  });
  assert.ok(apart(of.result, one.result) < 1e-6, `${apart(of.result, one.result)}`);
}

const short = { learningRate: 1e-3, maxSteps: 6, evalSteps: 3 };
for (const [what, method] of Object.entries(methods)) {
  Deno.test(`${what}: 2 and 3 ranks make the losses and weights of one process`, async () => {
    const one = await run(method, short);
    for (const size of [2, 3]) {
      const all = await together(size, method, short);
      for (const each of all) {
        assertSame(each, one);
        assert.deepEqual(bits(each.result), bits(all[0].result));
        assert.deepEqual(each.result.test, all[0].result.test);
      }
    }
  });
}

const { lora } = methods;
const variants: Record<string, Partial<Hyperparameters>> = {
  "gradients that are accumulated": { batchSize: 4, gradientAccumulationSteps: 3 },
  "weights of the classes, and smoothing": {
    classWeights: "balanced",
    labelSmoothing: 0.1,
  },
  "batches that are too small for all": { batchSize: 2 },
};
for (const [name, changes] of Object.entries(variants)) {
  Deno.test(`3 ranks make those of one process with ${name}`, async () => {
    const one = await run(lora, { ...short, ...changes });
    for (const each of await together(3, lora, { ...short, ...changes })) assertSame(each, one);
  });
}

Deno.test("2 ranks of f16 activations scale the loss and make the losses of one process", async () => {
  const { gpu, info, kernels } = await testDevice();
  const half = () => new Device(gpu, info, { ...kernels, activations: "f16" });
  const one = await run(lora, short, { device: half() });
  assert.notDeepEqual(lossesOf(one.steps), lossesOf((await run(lora, short)).steps), "it is f32");
  for (const each of await together(2, lora, short, () => ({ device: half() }))) {
    assertSame(each, one);
  }
});

Deno.test("the same ranks twice make the same bits", async () => {
  const [first] = await together(3, lora, short);
  const [second] = await together(3, lora, short);
  assert.deepEqual(lossesOf(second.steps), lossesOf(first.steps));
  assert.deepEqual(bits(second.result), bits(first.result));
});

Deno.test("a run of 2 ranks, stopped because one of them is to, goes on with 3", async () => {
  const one = await run(lora, short);
  let state: TrainState | undefined;
  const { gpu, info, kernels } = await testDevice();
  const steps: StepEvent[] = [];
  await Promise.all(
    ranksInMemory(2).map(async (ranks) => {
      let asked = 0;
      const stopRequested = () => ranks.rank === 1 && ++asked === 2;
      const device = new Device(gpu, info, kernels);
      for await (const event of await start(lora, short, { ranks, device, stopRequested })) {
        if (event.type === "step" && ranks.rank === 0) steps.push(event);
        if (event.type === "checkpoint") {
          assert.equal(event.step, 2);
          if (ranks.rank === 0) state = await event.capture();
          return;
        }
      }
    }),
  );
  const rest = await together(3, lora, short, () => ({ from: structuredClone(state) }));
  assertSame({ steps: [...steps, ...rest[0].steps], result: rest[0].result }, one);
});

Deno.test("a batch is shared by neighbours, all of it once, with its tokens as equal as can be", () => {
  for (const lengths of [[5], [5, 5], [9, 1, 1, 1, 1], [3, 7, 2, 9, 4, 4, 8, 1]]) {
    const batch = lengths.map((length) => ({ ids: Array<number>(length).fill(1) }));
    for (const size of [1, 2, 3, 7]) {
      const shares = Array.from({ length: size }, (_, rank) => shareOf(batch, { rank, size }));
      assert.deepEqual(shares.flatMap(({ sentences }) => sentences), batch);
      shares.reduce((before, { sentences, start }) => {
        assert.deepEqual(start, before);
        return {
          token: before.token + sentences.reduce((sum, { ids }) => sum + ids.length, 0),
          sentence: before.sentence + sentences.length,
        };
      }, { token: 0, sentence: 0 });
    }
  }
  const even = Array.from({ length: 8 }, () => ({ ids: [1, 2] }));
  const counts = [0, 1, 2, 3].map((rank) => shareOf(even, { rank, size: 4 }).sentences.length);
  assert.deepEqual(counts, [2, 2, 2, 2]);
});
