/** How long a run is and when it is evaluated: in epochs, in steps, and until nothing gets better. */
import assert from "node:assert/strict";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { TrainState } from "../../models/training/state.ts";
import { bits, run, start, task } from "./small_task.ts";

const method = loraDefaults(4);
/** An epoch has 6 steps. */
const stepsPerEpoch = 6;
/** Rates that move no weight: no evaluation is better than the first. */
const still = { learningRate: 1e-30 };

const evaluationsOf = ({ events }: Awaited<ReturnType<typeof run>>) =>
  events.flatMap((event) =>
    event.type === "evaluation" ? [[event.split, event.step, event.epoch]] : []
  );

Deno.test("evaluations come every so many steps and after the last, each with a checkpoint", async () => {
  const done = await run(method, { epochs: 2, evalSteps: 5 });
  const [validations, tests] = [evaluationsOf(done).slice(0, -1), evaluationsOf(done).slice(-1)];
  assert.deepEqual(validations, [
    ["validation", 5, 1],
    ["validation", 10, 2],
    ["validation", 12, 2],
  ]);
  const { result } = done;
  assert.deepEqual(result.validationSteps, [5, 10, 12]);
  const scores = result.validation.map(({ macroF1 }) => macroF1);
  const best = scores.indexOf(Math.max(...scores));
  assert.equal(result.bestStep, [5, 10, 12][best]);
  assert.equal(result.bestEpoch, [1, 2, 2][best]);
  assert.deepEqual(tests, [["test", result.bestStep, result.bestEpoch]]);
  const kinds = done.events.map(({ type }) => type);
  const after = kinds.filter((_, i) => kinds[i - 1] === "evaluation");
  assert.deepEqual(after, ["checkpoint", "checkpoint", "checkpoint", "done"]);
});

Deno.test("evaluation changes no step: every epoch's steps have the same losses", async () => {
  const whole = await run(method, { epochs: 2 });
  const often = await run(method, { epochs: 2, evalSteps: 1 });
  const seldom = await run(method, { epochs: 2, evalSteps: 12 });
  for (const { steps } of [often, seldom]) {
    assert.deepEqual(steps.map(({ loss }) => loss), whole.steps.map(({ loss }) => loss));
  }
  const { validation } = whole.result;
  assert.deepEqual([often.result.validation[5], often.result.validation[11]], validation);
});

Deno.test("a run of so many steps repeats epochs, ends within one, and its schedule is over them", async () => {
  const settings = { maxSteps: 8, epochs: 5, warmupSteps: 0, learningRate: 1e-3 };
  const done = await run(method, settings);
  assert.deepEqual(done.steps.map(({ epoch }) => epoch), [1, 1, 1, 1, 1, 1, 2, 2]);
  done.steps.forEach(({ learningRate }, i) =>
    assert.ok(Math.abs(learningRate - 1e-3 * (1 - i / 8)) < 1e-9)
  );
  const [first] = done.events;
  assert.ok(first.type === "start");
  assert.deepEqual([first.totalSteps, first.stepsPerEpoch], [8, stepsPerEpoch]);
  assert.deepEqual(done.result.validationSteps, [6, 8]);
  assert.deepEqual([done.result.totalSteps, done.result.stoppedEarly], [8, false]);
  const short = await run(method, { maxSteps: 2 });
  assert.deepEqual(short.result.validationSteps, [2]);
  assert.deepEqual(short.steps.map(({ epoch }) => epoch), [1, 1]);
  // The number of steps rules, whatever the number of epochs.
  const fewer = await run(method, { ...settings, epochs: 1 });
  assert.deepEqual(bits(fewer.result), bits(done.result));
});

Deno.test("a run ends early by EarlyStoppingCallback's count", async () => {
  const settings = { epochs: 4, evalSteps: 2 };
  const { result } = await run(method, settings);
  const scores = result.validation.map(({ macroF1 }) => macroF1);
  const ends = [1, 2].map((patience) => {
    let [best, counter] = [-Infinity, 0];
    const end = scores.findIndex((score) => {
      counter = score > best ? 0 : counter + 1;
      best = Math.max(best, score);
      return counter >= patience;
    });
    return end < 0 ? scores.length : end + 1;
  });
  for (const [index, end] of ends.entries()) {
    const early = (await run(method, { ...settings, earlyStoppingPatience: index + 1 })).result;
    assert.deepEqual(early.validation, result.validation.slice(0, end));
    assert.deepEqual([early.totalSteps, early.stoppedEarly], [2 * end, end < scores.length]);
  }
  const same = await run(method, { ...settings, ...still, earlyStoppingPatience: 3 });
  assert.deepEqual(same.result.validationSteps, [2, 4, 6, 8]);
  assert.equal(same.result.bestStep, 2);
  assert.equal(same.steps.length, 8);
});

Deno.test("an interval that no run has is warned of", async () => {
  const { events, result } = await run(method, { epochs: 1, evalSteps: 100 });
  assert.ok(events[0].type === "start");
  assert.match(events[0].warnings.join(), /every 100 steps is more than all 6 steps/);
  assert.deepEqual(result.validationSteps, [6]);
});

Deno.test("a run without a step or an evaluation is refused", async () => {
  for (const changes of [{ epochs: 0 }, { maxSteps: 0 }, { evalSteps: 0 }, { evalSteps: 1.5 }]) {
    await assert.rejects(run(method, changes), /cannot have (epochs|maxSteps|evalSteps) [01]/);
  }
  const split = { ...task, train: [] };
  await assert.rejects(run(method, {}, { split }), /cannot have examples 0/);
});

/** The state of a run when it asks for the so-manieth time whether to stop. */
async function stateWhenAsked(
  times: number,
  settings: Parameters<typeof run>[1],
): Promise<TrainState> {
  let asked = 0;
  const stopRequested = () => ++asked === times;
  for await (const event of await start(method, settings, { stopRequested })) {
    if (event.type === "checkpoint" && asked === times) return await event.capture();
  }
  throw new Error(`The run asked ${asked} times whether to stop.`);
}

/** Evaluated after 4, 8, 12 and 16 steps, and asking before each of an evaluation's 2 batches: 6 asks each. */
const settings = {
  maxSteps: 16,
  evalSteps: 4,
  earlyStoppingPatience: 2,
  labelSmoothing: 0.1,
  classWeights: { a: 2, b: 1, c: 1 },
};
for (
  const [where, times, step, evaluated, changes] of [
    ["after a step", 7, 5, 1, {}],
    ["within an evaluation inside an epoch", 12, 8, 1, {}],
    ["after an epoch's last step, which is not evaluated", 8, 6, 1, {}],
    ["between evaluations of which none is better", 14, 10, 2, still],
    ["within the evaluation that ends the run", 18, 12, 2, still],
    ["within the test of a run that ended early", 20, 12, 3, still],
  ] as const
) {
  Deno.test(`stopped ${where}, a run by steps goes on to the same bits and the same end`, async () => {
    const whole = await run(method, { ...settings, ...changes });
    const state = await stateWhenAsked(times, { ...settings, ...changes });
    assert.deepEqual([state.step, state.evaluations.length], [step, evaluated]);
    const from = structuredClone(state);
    const rest = await run(method, { ...settings, ...changes }, { from });
    assert.deepEqual(
      rest.steps.map(({ step, epoch, loss }) => [step, epoch, loss]),
      whole.steps.slice(step).map(({ step, epoch, loss }) => [step, epoch, loss]),
    );
    assert.deepEqual(bits(rest.result), bits(whole.result));
    for (
      const key of [
        "validation",
        "validationSteps",
        "bestStep",
        "bestEpoch",
        "test",
        "totalSteps",
      ] as const
    ) assert.deepEqual(rest.result[key], whole.result[key], key);
    if (changes === still) assert.equal(whole.result.totalSteps, 12);
  });
}
