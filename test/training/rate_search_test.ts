import assert from "node:assert/strict";
import {
  nextTrial,
  rateGrid,
  rungsOf,
  type Trial,
  trialCount,
} from "../../models/training/rate_search.ts";

/** Searches to the end, with the loss that a rate reaches in so many steps. */
function search(lossOf: (rate: number, steps: number) => number | undefined, totalSteps = 400) {
  const trials: Trial[] = [];
  for (;;) {
    const next = nextTrial(trials, totalSteps);
    if ("chosen" in next) return { trials, chosen: next.chosen };
    const { learningRate, steps } = next.trial;
    trials.push({ ...next.trial, loss: lossOf(learningRate, steps) });
  }
}

Deno.test("the grid is logarithmic, and each rung halves the rates and doubles the steps", () => {
  for (const [index, rate] of rateGrid.slice(1).entries()) {
    const factor = rate / rateGrid[index];
    assert.ok(factor > 2.9 && factor < 3.5, `${rate}`);
  }
  assert.deepEqual(rungsOf(400), [
    { rates: 8, steps: 50 },
    { rates: 4, steps: 100 },
    { rates: 2, steps: 200 },
  ]);
  const cost = rungsOf(400).reduce((sum, { rates, steps }) => sum + rates * steps, 0);
  assert.equal(cost, 3 * 400);
});

Deno.test("the search finds the rate that is best at the longest budget", () => {
  const distance = (rate: number, best: number) => Math.abs(Math.log10(rate / best));
  const { trials, chosen } = search((rate) => distance(rate, 3e-4));
  assert.equal(chosen, 3e-4);
  assert.equal(trials.length, trialCount);
  // A high rate is ahead after few steps, and falls behind.
  const late = search((rate, steps) => distance(rate, steps < 100 ? 1e-3 : 3e-4));
  assert.equal(late.chosen, 3e-4);
});

Deno.test("what comes to no number is left behind; where nothing does, there is no rate", () => {
  assert.equal(search((rate) => rate > 5e-4 ? undefined : 1 / rate).chosen, 3e-4);
  const few = search((rate) => rate === 1e-5 ? 1 : undefined);
  assert.equal(few.chosen, 1e-5);
  assert.equal(few.trials.length, 8 + 1 + 1);
  assert.equal(search(() => undefined).chosen, undefined);
});

Deno.test("the search goes on from the trials that are there, whatever their order", () => {
  const whole = search((rate) => rate);
  const half = whole.trials.slice(0, 9).reverse();
  const next = nextTrial(half, 400);
  assert.ok("trial" in next);
  assert.deepEqual(next.trial, { learningRate: whole.trials[9].learningRate, steps: 100 });
  assert.deepEqual(nextTrial(whole.trials, 400), { chosen: 1e-5 });
});

Deno.test("a run of very few steps is searched too", () => {
  const { trials, chosen } = search((rate) => rate, 3);
  assert.equal(chosen, 1e-5);
  assert.ok(trials.every(({ steps }) => steps >= 1));
});
