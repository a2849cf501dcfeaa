/** The timer: what it makes of timestamps that are rounded. */
import assert from "node:assert/strict";
import { measure, stepOf, type Timer } from "../../engine/timing.ts";

Deno.test("rounded timestamps are told by the step of which all are multiples", () => {
  const rounded = [3n, 3n, 5n, 8n, 9n].map((steps) => 65_536n * steps);
  assert.equal(stepOf(rounded), 65_536n);
  assert.equal(stepOf([1_000_003n, 1_000_120n, 1_000_121n]), 1n);
});

/** A timer of runs that take so long, in microseconds, and that tells multiples of `step` of them. */
function fake(microseconds: number, step: number, timer: Pick<Timer, "sample" | "coarse">) {
  const asked: number[] = [];
  const seconds = (_: () => void, repeats: number) => {
    asked.push(repeats);
    return Promise.resolve(Math.floor(microseconds * repeats / step) * step * 1e-6);
  };
  return { asked, timer: { method: "timestamp-query" as const, seconds, destroy() {}, ...timer } };
}

Deno.test("a kernel below a coarse timer's step is repeated until it can be told", async () => {
  const coarse = { sample: { seconds: 50 * 65.536e-6, most: 2000 }, coarse: true };
  const { asked, timer } = fake(5, 65.536, coarse);
  const { seconds, repeats } = await measure(timer, () => {});
  assert.ok(Math.abs(seconds - 5e-6) < 0.1e-6, `${seconds}`);
  assert.ok(repeats > 600 && repeats <= 1000, `${repeats}`);
  assert.deepEqual(asked.slice(0, 4), [1, 1, 10, 100], "no step is longer than it has to be");
  const exact = fake(5, 0.001, { sample: { seconds: 0.002, most: 100 }, coarse: false });
  assert.equal((await measure(exact.timer, () => {})).repeats, 100);
});

Deno.test("a run that is held up does not leave the samples too short", async () => {
  const { asked, timer } = fake(5, 0.001, {
    sample: { seconds: 0.002, most: 1000 },
    coarse: false,
  });
  const { seconds } = timer;
  let calls = 0;
  timer.seconds = async (run, repeats) => await seconds(run, repeats) + (++calls === 2 ? 0.002 : 0);
  const timing = await measure(timer, () => {});
  assert.ok(Math.abs(timing.seconds - 5e-6) < 1e-8 && timing.spread < 0.01, `${timing.seconds}`);
  assert.ok(timing.repeats >= 400 && timing.repeats < 410, `${timing.repeats}`);
  assert.deepEqual(
    asked.slice(0, 3),
    [1, 1, 1],
    "what the run seemed to take was believed at first",
  );
});
