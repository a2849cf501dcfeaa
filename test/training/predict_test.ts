/** Class scores: the same whatever the batches, and nothing left where they cannot be had. */
import assert from "node:assert/strict";
import { randomWeights } from "../../models/encoders/weights.ts";
import { createModel } from "../../models/model.ts";
import { evaluate, predict, predictionsOf, predictUnless } from "../../models/training/evaluate.ts";
import { testDevice } from "../models/device.ts";
import { config } from "./small_task.ts";

const options = { config, method: { method: "full" } as const, classes: 3, seed: 1 };
const examples = Array.from({ length: 7 }, (_, i) => ({
  ids: [2, ...Array.from({ length: i }, (_, j) => 4 + i + j), 3],
  label: i % 3,
}));

Deno.test("scores do not depend on the batches, and metrics are theirs", async () => {
  const device = await testDevice();
  const built = await createModel(device, { ...options, weights: randomWeights("a test") });
  const whole = await predict(device, built, examples, { classes: 3, batchSize: 7 });
  const single = await predict(device, built, examples, { classes: 3, batchSize: 1 });
  assert.equal(whole.length, 21);
  whole.forEach((score, i) => assert.ok(Math.abs(score - single[i]) < 1e-5));
  const labels = ["a", "b", "c"];
  const metrics = await evaluate(device, built, examples, { labels, batchSize: 3 });
  const right = examples.filter(({ label }, row) => {
    const scores = [...whole.slice(3 * row, 3 * row + 3)];
    return scores.indexOf(Math.max(...scores)) === label;
  });
  assert.equal(metrics.accuracy, right.length / 7);
  const predictions = predictionsOf(single, examples, 3);
  assert.equal(predictions.filter((each, row) => each.predicted === row % 3).length, right.length);
  const loss = predictions.reduce((sum, { probability }) => sum - Math.log(probability), 0) / 7;
  assert.ok(Math.abs(loss - metrics.loss) < 1e-5);
  assert.ok(predictions.every(({ probability, confidence }) => confidence >= probability));
  built.destroy();
});

Deno.test("scores are given up where a stop is requested, between batches", async () => {
  const device = await testDevice();
  const built = await createModel(device, { ...options, weights: randomWeights("a test") });
  const sizes = { classes: 3, batchSize: 3 };
  const whole = await predict(device, built, examples, sizes);
  device.trim();
  const held = device.memory.heldBytes;
  for (const [stopAt, scores] of [[1, undefined], [3, undefined], [4, whole]] as const) {
    let asked = 0;
    const stopped = () => ++asked === stopAt;
    assert.deepEqual(await predictUnless(stopped, device, built, examples, sizes), scores);
    assert.equal(asked, Math.min(stopAt, 3));
  }
  device.trim();
  assert.equal(device.memory.heldBytes, held);
  built.destroy();
});

Deno.test("a sentence that the model cannot read leaves no memory behind", async () => {
  const device = await testDevice();
  const built = await createModel(device, { ...options, weights: randomWeights("a test") });
  await predict(device, built, examples, { classes: 3, batchSize: 7 });
  device.trim();
  const held = device.memory.heldBytes;
  const wrong = [...examples, { ids: [2, config.vocabSize, 3], label: 0 }];
  await assert.rejects(
    predict(device, built, wrong, { classes: 3, batchSize: 4 }),
    /Sentence 3 of the batch has the token id 40/,
  );
  device.endStep();
  device.trim();
  assert.equal(device.memory.heldBytes, held);
  built.destroy();
});
