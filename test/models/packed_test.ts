/** Packed equals padded: a ragged batch in one go gives what its sentences give one at a time. */
import assert from "node:assert/strict";
import { withTape } from "../../engine/tape.ts";
import { packBatch } from "../../models/nn/batch.ts";
import { testDevice } from "./device.ts";
import { distance, goldenModel, openGolden } from "./goldens.ts";

for (const run of ["full", "lora", "adapter-houlsby", "dora", "roberta-ia3"]) {
  Deno.test(`${run}: a packed batch equals its sentences one at a time`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const built = await goldenModel(device, source);
    const { model, parameters, specs } = built;
    const trainable = specs.filter((spec) => spec.trainable).map(({ name }) => name);
    /** Logits, and gradients of the loss, of some sentences in one batch. */
    const measure = async (sentences: number[][], labels: number[]) => {
      device.beginStep(0, 0);
      const batch = packBatch(device, sentences, labels, built.limits);
      parameters.zeroGradients();
      const logits = await model.logits(batch).read();
      const { backward } = withTape(() => model.loss(batch));
      backward();
      const gradients = await Promise.all(
        trainable.map((name) => parameters.get(name).gradient!.read()),
      );
      device.endStep();
      return { logits, gradients };
    };
    // 70 tokens: the batch spans more than one multiple of 64 rows.
    const sentences = [...source.batches[0].sentences, ...source.batches[1].sentences];
    sentences.push(Array.from({ length: 31 }, (_, i) => 4 + i));
    const labels = sentences.map((_, i) => i % 5);
    const packed = await measure(sentences, labels);
    const single: Awaited<ReturnType<typeof measure>>[] = [];
    for (const [i, sentence] of sentences.entries()) {
      single.push(await measure([sentence], [labels[i]]));
    }
    const logits = single.flatMap((result) => [...result.logits]);
    assert.ok(distance(packed.logits, logits) < 1e-5 * distance(logits));
    const means = trainable.map((_, t) =>
      packed.gradients[t].map((_, i) =>
        single.reduce((sum, { gradients }) => sum + gradients[t][i], 0) / sentences.length
      )
    );
    const all = Math.hypot(...means.map((mean) => distance(mean)));
    for (const [t, mean] of means.entries()) {
      const error = distance(packed.gradients[t], mean);
      assert.ok(error <= 1e-4 * distance(mean) + 1e-6 * all, `${trainable[t]}: ${error}`);
    }
    built.destroy();
    source.close();
  });
}

Deno.test("a batch's filling rows change nothing", async () => {
  const device = await testDevice();
  device.beginStep(0, 0);
  const limits = { vocabSize: 64, maxTokens: 32, firstPosition: 2, classes: 2 };
  const pack = (sentences: number[][]) => packBatch(device, sentences, [0, 1], limits);
  const batch = pack([[2, 5, 3], [2, 3]]);
  assert.equal(batch.rows, 64);
  assert.equal(batch.tokens, 5);
  const bounds = new Uint32Array((await batch.sentences.read()).buffer);
  assert.deepEqual([...bounds.slice(0, 14)], [0, 3, 0, 3, 0, 3, 3, 5, 3, 5, 5, 5, 5, 5]);
  const positions = new Uint32Array((await batch.positions.ids.read()).buffer);
  assert.deepEqual([...positions.slice(0, 6)], [2, 3, 4, 2, 3, 0]);
  device.endStep();
});

Deno.test("a sentence or label that the model does not have is refused before it is uploaded", async () => {
  const device = await testDevice();
  device.beginStep(0, 0);
  const limits = { vocabSize: 64, maxTokens: 4, firstPosition: 0, classes: 3 };
  const pack = (sentence: number[], labels = [0, 0]) =>
    packBatch(device, [[2, 3], sentence], labels, limits);
  const held = device.memory.heldBytes;
  assert.throws(() => pack([]), /Sentence 1 of the batch has no tokens/);
  assert.throws(() => pack([2, 64, 3]), /Sentence 1 .* the token id 64; .* embeddings for 0 to 63/);
  assert.throws(() => pack([2, -1]), /the token id -1/);
  assert.throws(() => pack([2, 1.5]), /the token id 1\.5/);
  assert.throws(() => pack([2, 5, 5, 5, 3]), /has 5 tokens; the model has positions for 4/);
  for (const label of [3, -1, 0.5, NaN]) {
    assert.throws(
      () => pack([2, 3], [2, label]),
      (error) =>
        error instanceof RangeError &&
        error.message ===
          `Sentence 1 of the batch has the label ${label}; the model has classes 0 to 2.`,
    );
  }
  assert.throws(() => pack([2, 3], [0]), /2 sentences have 1 labels/);
  assert.equal(device.memory.heldBytes, held);
  device.endStep();
});
