/** A loss with weights of the classes and label smoothing: torch's, in however many parts it is summed. */
import assert from "node:assert/strict";
import { AdamW } from "../../engine/optimizer.ts";
import { UserError } from "../../models/errors.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { createModel } from "../../models/model.ts";
import { checkClassWeights, classWeightsOf } from "../../models/training/class_weights.ts";
import { predict } from "../../models/training/evaluate.ts";
import { defaultHyperparameters, type Hyperparameters } from "../../models/training/events.ts";
import { objectiveOf } from "../../models/training/objective.ts";
import { computeGradients } from "../../models/training/step.ts";
import { testDevice } from "../models/device.ts";
import { weightedCrossEntropy } from "../../gradcheck/reference.ts";
import { bits, config, run } from "./small_task.ts";

const labels = ["a", "b", "c"];
const quiet = { ...config, hiddenDropout: 0, attentionDropout: 0, classifierDropout: 0 };
/** 7 sentences of the classes 0, 0, 0, 0, 1, 2, 2. */
const batch = [0, 0, 0, 0, 1, 2, 2].map((label, i) => ({ ids: [2, 5 + i, 30 + label, 3], label }));
const train = batch.map(({ label }) => ({ text: "", label }));

Deno.test("the reference's weighted loss is torch's", () => {
  const logits = [0.5, -1, 2, 0.25, 0.125, -0.75];
  const close = (weights: number[], expected: number[], within: number) => {
    const { loss, dlogits } = weightedCrossEntropy(
      logits,
      [0, 2],
      { weights, smoothing: 0.125 },
      1,
    );
    const apart = [loss, ...dlogits].map((value, i) => Math.abs(value - expected[i]));
    assert.ok(Math.max(...apart) < within, `${apart}`);
  };
  // torch 2.15, x in float64: F.cross_entropy(x, y, weight=tensor([2, .25, 1]), label_smoothing=.125), then x.grad
  close([2, 0.25, 1], [
    1.6579124962106544,
    -0.5009459688286575,
    0.02110894361803621,
    0.47983702521062127,
    0.12188854647508172,
    0.12860784535214798,
    -0.25049639182722977,
  ], 1e-14);
  // transformers 5: LabelSmoother(.125), which knows no weights and sums in f32
  close([1, 1, 1], [
    1.7371418920678512,
    -0.3706881375576929,
    -0.0012770472460184802,
    0.3719651848037114,
    0.20135172555814618,
    0.1752442928660177,
    -0.37659601842416396,
  ], 1e-7);
});

/** Loss and gradients of the batch, so many sentences at a time, and its logits. */
async function gradientsOf(changes: Partial<Hyperparameters>, batchSize: number) {
  const device = await testDevice();
  const options = { config: quiet, method: { method: "full" } as const, classes: 3, seed: 1 };
  const built = await createModel(device, { ...options, weights: randomWeights("a test") });
  const optimizer = new AdamW(built.parameters, { weightDecay: 0, maxGradNorm: 1 });
  const objective = objectiveOf(device, { ...defaultHyperparameters, ...changes }, labels, train);
  const step = { step: 0, seed: 1, batchSize, gradientAccumulationSteps: 7 / batchSize };
  computeGradients({ device, built, optimizer, objective }, batch, step);
  device.endStep();
  const [loss] = await optimizer.loss.read();
  const gradients = await Promise.all(
    built.parameters.slabs.map(({ gradient }) => gradient.read()),
  );
  const logits = await predict(device, built, batch, { classes: 3, batchSize: 7 });
  objective?.destroy();
  optimizer.destroy();
  built.destroy();
  return { loss, gradients: gradients.flatMap((values) => [...values]), logits: [...logits] };
}

const balanced = [7 / (3 * 4), 7 / (3 * 1), 7 / (3 * 2)];
for (
  const [what, changes, weights] of [
    ["label smoothing", { labelSmoothing: 0.2 }, [1, 1, 1]],
    ["balanced classes", { classWeights: "balanced" }, balanced],
    ["weights by label, and smoothing", {
      classWeights: { c: 0.5, a: 3, b: 1 },
      labelSmoothing: 0.1,
    }, [3, 1, 0.5]],
  ] as const
) {
  Deno.test(`${what}: a step's loss is torch's, in one batch and in parts`, async () => {
    const whole = await gradientsOf(changes, 7);
    const smoothing = "labelSmoothing" in changes ? changes.labelSmoothing : 0;
    const classes = batch.map(({ label }) => label);
    const how = { weights: [...weights], smoothing };
    const expected = weightedCrossEntropy(whole.logits, classes, how, 1).loss;
    assert.ok(Math.abs(whole.loss - expected) < 1e-5 * expected, `${whole.loss} ${expected}`);
    const plain = await gradientsOf({}, 7);
    const apart = (other: number[]) => {
      const off = Math.hypot(...other.map((value, i) => value - whole.gradients[i]));
      return off / Math.hypot(...whole.gradients);
    };
    assert.ok(apart(plain.gradients) > 0.01);
    const parts = await gradientsOf(changes, 2);
    assert.ok(Math.abs(parts.loss - whole.loss) < 1e-5);
    assert.ok(apart(parts.gradients) < 1e-4, `${apart(parts.gradients)}`);
  });
}

Deno.test("balanced weights are scikit-learn's", () => {
  // n_samples / (n_classes * np.bincount(y)), as its documentation has it, for y = [0] * 5 + [1] * 2 + [2]
  const rows = [0, 0, 0, 0, 0, 1, 1, 2].map((label) => ({ label }));
  const expected = [0.5333333333333333, 1.3333333333333333, 2.6666666666666665];
  assert.deepEqual(classWeightsOf("balanced", labels, rows), expected);
  assert.throws(
    () => classWeightsOf("balanced", [...labels, "d"], rows),
    /cannot balance "d": the training part has no example/,
  );
});

Deno.test("weights that do not fit the labels are refused", () => {
  const refused = (weights: Record<string, number>, message: RegExp) =>
    assert.throws(() => checkClassWeights(weights, labels), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  refused({ a: 1, b: 1, c: 1, joy: 2 }, /name "joy", .*: their labels are "a", "b", "c"\./);
  refused({ a: 1 }, /lack "b", "c": every label needs one/);
  refused({ a: 1, b: 0, c: 1 }, /of "b" is 0: a number above 0/);
  refused({ a: 1, b: 1, c: 1e39 }, /of "c" is 1e\+39/);
  assert.throws(
    () => checkClassWeights({ a: 1 }, ["a", ..."bcdefgh"]),
    /lack "b", "c", "d", "e", "f" and 2 more:/,
  );
  checkClassWeights({ c: 1, b: 0.1, a: 1 }, labels);
});

Deno.test("a run trains with them, its memory is freed, and validation tells the plain loss", async () => {
  const device = await testDevice();
  await run({ method: "full" }, { epochs: 1, classWeights: "balanced", labelSmoothing: 0.1 });
  device.trim();
  const held = device.memory.heldBytes;
  // Rates that move nothing: what differs is the loss alone.
  const still = { epochs: 1, learningRate: 1e-30 };
  const plain = await run({ method: "full" }, still);
  const smoothed = await run({ method: "full" }, { ...still, labelSmoothing: 0.3 });
  assert.notEqual(smoothed.steps[0].loss, plain.steps[0].loss);
  assert.deepEqual(smoothed.result.validation, plain.result.validation);
  // The task's classes are all as many: balanced weights are 1.
  const even = await run({ method: "full" }, { ...still, classWeights: "balanced" });
  for (const [i, { loss }] of even.steps.entries()) {
    assert.ok(Math.abs(loss - plain.steps[i].loss) < 1e-5);
  }
  const weights = { a: 1, b: 1 };
  await assert.rejects(run({ method: "full" }, { classWeights: weights }), /lack "c"/);
  device.trim();
  assert.equal(device.memory.heldBytes, held);
  const settings = { epochs: 1, classWeights: { a: 5, b: 1, c: 1 } };
  const [first, second] = [
    await run({ method: "full" }, settings),
    await run({ method: "full" }, settings),
  ];
  assert.deepEqual(bits(first.result), bits(second.result));
});
