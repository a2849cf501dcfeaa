/** The learning rate's schedules, against transformers 5.24's get_scheduler. */
import assert from "node:assert/strict";
import { scheduleFactor, schedulers } from "../../engine/schedule.ts";

/** Factors at a run's steps 0, 1, 2, ⌊n/3⌋, ⌊n/2⌋, n − 2 and n − 1, each step once. */
const runs = [
  {
    warmupSteps: 4,
    totalSteps: 20,
    steps: [0, 1, 2, 6, 10, 18, 19],
    linear: [0, 0.25, 0.5, 0.875, 0.625, 0.125, 0.0625],
    cosine: [0, 0.25, 0.5, 0.961939766, 0.691341716, 0.038060234, 0.00960736],
    constant: [1, 1, 1, 1, 1, 1, 1],
    constant_with_warmup: [0, 0.25, 0.5, 1, 1, 1, 1],
  },
  {
    warmupSteps: 0,
    totalSteps: 7,
    steps: [0, 1, 2, 3, 5, 6],
    linear: [1, 0.857142857, 0.714285714, 0.571428571, 0.285714286, 0.142857143],
    cosine: [1, 0.950484434, 0.811744901, 0.611260467, 0.188255099, 0.049515566],
    constant: [1, 1, 1, 1, 1, 1],
    constant_with_warmup: [1, 1, 1, 1, 1, 1],
  },
  {
    warmupSteps: 30, // longer than the run
    totalSteps: 20,
    steps: [0, 1, 2, 6, 10, 18, 19],
    linear: [0, 0.033333333, 0.066666667, 0.2, 0.333333333, 0.6, 0.633333333],
    cosine: [0, 0.033333333, 0.066666667, 0.2, 0.333333333, 0.6, 0.633333333],
    constant: [1, 1, 1, 1, 1, 1, 1],
    constant_with_warmup: [0, 0.033333333, 0.066666667, 0.2, 0.333333333, 0.6, 0.633333333],
  },
];

for (const scheduler of schedulers) {
  Deno.test(`${scheduler}: factors are those of transformers`, () => {
    for (const run of runs) {
      const factors = run.steps.map((step) => scheduleFactor(scheduler, step, run));
      factors.forEach((factor, i) =>
        assert.ok(Math.abs(factor - run[scheduler][i]) < 1e-9, `step ${run.steps[i]}: ${factor}`)
      );
    }
  });
}
