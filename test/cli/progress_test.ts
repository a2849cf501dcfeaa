import assert from "node:assert/strict";
import fc from "fast-check";
import { createProgress, type ProgressState, renderProgress } from "../../cli/train/progress.ts";
import type { Output } from "../../cli/shared/terminal.ts";
import { renderBar, renderCurve } from "../../cli/train/curve.ts";
import type { StepEvent } from "../../models/training/events.ts";
import type { Metrics } from "../../models/training/metrics.ts";
import { createPace } from "../../cli/train/place.ts";
import { recorder } from "./recorder.ts";

const state: ProgressState = {
  run: "adapter-256-parallel",
  step: 1234,
  totalSteps: 32830,
  loss: 2.34567,
  learningRate: 1.995e-5,
  tokensPerSecond: 12345,
  secondsLeft: 3720,
};

Deno.test("the line shows what fits: at 40, 80 and 120 columns", () => {
  const wide = renderProgress({ ...state, step: 16415, run: "lora-r8" }, 119);
  assert.equal(
    wide,
    "lora-r8  ▕███████████████···············▏  16415/32830  loss 2.3457  lr 2e-5     " +
      " 12k tok/s   1h02m left",
  );
  assert.equal(
    renderProgress(state, 79),
    "▕··············▏   1234/32830  loss 2.3457  lr 2e-5      12k tok/s   1h02m left",
  );
  assert.equal(renderProgress(state, 39), " 1234/32830  loss 2.3457   1h02m left");
});

Deno.test("the line never exceeds the width, and at 80 columns lacks no number", () => {
  fc.assert(fc.property(
    fc.record({
      run: fc.constantFrom("full", "lora-r8", "lora-r16-a16-rslora", "adapter-256-parallel"),
      totalSteps: fc.integer({ min: 1, max: 99999 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      loss: fc.double({ min: 0, max: 99, noNaN: true }),
      learningRate: fc.double({ min: 0, max: 1, noNaN: true }),
      tokensPerSecond: fc.double({ min: 0, max: 1e7, noNaN: true }),
      secondsLeft: fc.double({ min: 0, max: 1e7, noNaN: true }),
      width: fc.integer({ min: 1, max: 200 }),
    }),
    ({ part, width, ...rest }) => {
      const drawn = { ...rest, step: Math.ceil(part * rest.totalSteps) };
      assert.ok(renderProgress(drawn, width).length <= width);
      for (const word of ["loss ", "lr ", " tok/s", " left", "▕", `${drawn.step}/`]) {
        assert.ok(renderProgress(drawn, 79).includes(word), word);
      }
    },
  ));
});

function stepEvent(step: number): StepEvent {
  const rest = { epoch: 1, gradientNorm: 1, learningRate: 1e-3, tokens: 9, tokensPerSecond: 900 };
  return { type: "step", step, loss: 2, ...rest };
}

function show(
  output: Output,
  totalSteps: number,
  secondsAStep: number,
  { bySteps, made = totalSteps }: { bySteps?: boolean; made?: number } = {},
) {
  let seconds = 0;
  const progress = createProgress(output, {
    place: { text: "1 of 7", whole: () => "" },
    bySteps,
    now: () => seconds,
  });
  progress.show({
    type: "start",
    run: "lora-r8",
    method: { method: "full" },
    trainableParameters: 304909,
    totalParameters: 109787149,
    stepsPerEpoch: totalSteps / 2,
    totalSteps,
    warnings: ["The warm-up is long."],
  });
  for (let step = 1; step <= made; step++) {
    seconds += secondsAStep;
    progress.show(stepEvent(step));
  }
  const capture = () => Promise.reject(new Error("Nobody asked for the state."));
  progress.show({ type: "checkpoint", step: made, stopRequested: false, capture });
  const metrics: Metrics = {
    count: 10,
    loss: 1.5,
    accuracy: 0.5,
    accuracyInterval: [0.2, 0.8],
    macroPrecision: 0.5,
    macroRecall: 0.5,
    macroF1: 0.25,
    perClass: [],
    confusion: [],
  };
  const best = { step: totalSteps / 2, epoch: 1, best: true, metrics };
  progress.show({ type: "evaluation", split: "validation", ...best });
  progress.show({
    type: "done",
    result: {
      run: "lora-r8",
      method: { method: "full" },
      trainableParameters: 1,
      totalParameters: 1,
      bestStep: best.step,
      bestEpoch: 1,
      validation: [metrics],
      validationSteps: [best.step],
      testSeconds: 0.5,
      test: metrics,
      predictions: [],
      totalSteps: made,
      stoppedEarly: made < totalSteps,
      trainingSeconds: 1,
      totalSeconds: 1,
      tokensPerSecond: 1,
      peakGpuBytes: 1,
      weights: new Map(),
    },
  });
  progress.clear();
}

Deno.test("in a pipe: about twenty plain lines a run, no control characters", () => {
  const output = recorder();
  show(output, 400, 0.01);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(output.text, /[\x1b\r]/);
  const lines = output.text.trimEnd().split("\n");
  assert.equal(lines[0], "lora-r8 (1 of 7)");
  assert.match(lines[1], /304,909 of 109,787,149 parameters train \(0\.28 %\), 400 steps/);
  assert.match(lines[2], /Warning: The warm-up is long\./);
  const steps = lines.filter((line) => line.includes(" step "));
  assert.equal(steps.length, 21);
  assert.equal(steps[1], "lora-r8 step 20/400  loss 2.0000  lr 1e-3  900 tok/s  3.8s left");
  assert.equal(
    lines.at(-2),
    "  epoch 1/2  validation loss 1.5000  accuracy 0.5000  macro F1 0.2500  best",
  );
});

Deno.test("evaluations by steps tell the step, and a run that stops early says so", () => {
  const output = recorder();
  show(output, 400, 0.01, { bySteps: true, made: 300 });
  const lines = output.text.trimEnd().split("\n");
  assert.deepEqual(lines.slice(-3), [
    "  step 200/400  validation loss 1.5000  accuracy 0.5000  macro F1 0.2500  best",
    `  loss 2.0000 ${"▁".repeat(40)} 2.0000`,
    "  stopped early, after 300 of 400 steps",
  ]);
});

Deno.test("in a pipe, a slow run says something every half minute", () => {
  const output = recorder();
  show(output, 40, 31);
  assert.equal(output.text.split("\n").filter((line) => line.includes(" step ")).length, 40);
});

Deno.test("on a terminal one line is redrawn, and cleared before other text", () => {
  for (const columns of [40, 80, 120]) {
    const output = recorder(columns, true);
    show(output, 50, 0.1);
    const drawn = output.text.split("\r\x1b[K");
    assert.equal(drawn.length - 1, 51);
    for (const line of drawn.slice(1, 51)) assert.ok(line.length < columns, line);
    assert.match(drawn.at(-1) ?? "", /^ {2}epoch 1\/2/);
  }
});

Deno.test("a curve goes from the highest to the lowest of its values, a bar to its share", () => {
  assert.equal(renderCurve([8, 7, 6, 5, 4, 3, 2, 1], 8), "█▇▆▅▄▃▂▁");
  assert.equal(renderCurve([4, 4, 2, 2, 0, 0], 3), "█▅▁");
  assert.equal(renderCurve([1, 1, 1], 40), "▁▁▁");
  assert.equal(renderCurve([1], 40), "");
  assert.equal(renderBar(0.5, 10), "▕█████·····▏");
  assert.equal(renderBar(1.2, 4), "▕████▏");
});

Deno.test("how far all runs have come is told by what those before took, where there is room", () => {
  let seconds = 0;
  const pace = createPace(3, () => seconds);
  const first = pace.placeOf(0, 3);
  assert.equal(first.text, "1 of 3");
  assert.equal(first.whole(0.5), "1 of 3 ▕█······▏");
  seconds = 30;
  pace.done();
  const second = pace.placeOf(1, 3);
  assert.equal(second.text, "2 of 3, about 1m00s left in all");
  seconds = 45;
  assert.equal(second.whole(0.5), "2 of 3 ▕███····▏ 45s left in all");
  const whole = second.whole(0.5);
  const drawn = renderProgress({ ...state, run: "full", whole }, 139);
  assert.ok(drawn.endsWith(`left  ${whole}`), drawn);
  assert.equal(createPace(1).placeOf(0, 1).whole(0.5), "");
});
