/** How Dawn's questions to the GPU are spaced, since each makes an object that is dear to collect. */
import assert from "node:assert/strict";
import { paceImmediates, pauseAfter, untilIdle } from "../../cli/shared/patience.ts";

const own = Object.getOwnPropertyDescriptor(globalThis, "setImmediate")!;

/** Runs with `setImmediate` paced. */
async function paced(run: () => Promise<void>): Promise<void> {
  paceImmediates();
  try {
    await run();
  } finally {
    await untilIdle();
    Object.defineProperty(globalThis, "setImmediate", own);
  }
}

/** Questions until so many milliseconds are over, each of which takes 10 µs itself. */
function questionsIn(milliseconds: number): number {
  let questions = 0;
  for (let waited = 0; waited < milliseconds; waited += pauseAfter(waited) + 0.01) questions++;
  return questions;
}

Deno.test("patience: few questions in a wait of any length, and what is awaited is seen soon", () => {
  const counts = [1, 10, 100, 1000, 10_000].map(questionsIn);
  assert.ok(counts.every((count, i) => count < [30, 50, 90, 150, 800][i]), counts.join(" "));
  assert.equal(pauseAfter(0), 0);
  for (let waited = 4; waited < 100_000; waited *= 1.1) {
    assert.ok(pauseAfter(waited) >= 1 && pauseAfter(waited) <= Math.max(1, waited / 16));
    assert.ok(pauseAfter(waited) <= 16);
  }
});

Deno.test("patience: a chain of callbacks runs to its end, in order, and the tests' end waits for it", () =>
  paced(async () => {
    const seen: unknown[] = [];
    const link = (left: unknown) => {
      seen.push(left);
      if (Number(left) > 0) globalThis.setImmediate(link, Number(left) - 1);
    };
    globalThis.setImmediate(link, 40);
    assert.deepEqual(seen, []);
    await untilIdle();
    assert.deepEqual(seen, Array.from({ length: 41 }, (_, i) => 40 - i));
  }));
