/** The parts of a pretraining: masks, the held-out part, the teacher's vectors, the files. */
import assert from "node:assert/strict";
import { domains, HostRandom } from "../../engine/random.ts";
import { parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { piecesOf } from "../../models/files/run_file.ts";
import { pretrainedFiles } from "../../models/pretraining/export.ts";
import { maskSentence } from "../../models/pretraining/mlm.ts";
import { holdOut } from "../../models/pretraining/split.ts";
import { Teacher } from "../../models/pretraining/teacher.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { createModel } from "../../models/model.ts";
import { packBatch } from "../../models/nn/batch.ts";
import { goldenFolder } from "../files/temporary.ts";
import { testDevice } from "../models/device.ts";
import { config, objectives, resultOf, run } from "./small.ts";

Deno.test("15 % of the tokens are masked, of those 80, 10 and 10 % in BERT's three ways", () => {
  const sentence = [2, ...Array.from({ length: 100 }, (_, i) => 10 + i), 3];
  const options = { maskId: 4, vocabSize: 1_000_000 };
  const counts = { masked: 0, other: 0, same: 0 };
  for (let stream = 0; stream < 200; stream++) {
    const random = new HostRandom(1, domains.masking, stream);
    const { ids, places, labels } = maskSentence(sentence, random, options);
    assert.equal(places.length, 15);
    assert.equal(new Set(places).size, 15);
    assert.deepEqual(labels, places.map((place) => sentence[place]));
    ids.forEach((id, place) => places.includes(place) || assert.equal(id, sentence[place]));
    for (const place of places) {
      assert.ok(place > 0 && place < sentence.length - 1);
      counts[ids[place] === 4 ? "masked" : ids[place] === sentence[place] ? "same" : "other"]++;
    }
  }
  const shares = Object.values(counts).map((count) => count / 3000);
  [0.8, 0.1, 0.1].forEach((share, i) => assert.ok(Math.abs(shares[i] - share) < 0.03, `${shares}`));
  const short = maskSentence([2, 9, 3], new HostRandom(1, domains.masking), options);
  assert.deepEqual(short.places, [1]); // one at least
});

Deno.test("2 % are held out, by the seed, at least one", () => {
  const { train, heldOut } = holdOut(1000, 7);
  assert.equal(heldOut.length, 20);
  assert.deepEqual([...train, ...heldOut].sort((a, b) => a - b), [...Array(1000).keys()]);
  assert.deepEqual(holdOut(1000, 7).heldOut, heldOut);
  assert.notDeepEqual(holdOut(1000, 8).heldOut, heldOut);
  assert.equal(holdOut(2, 7).heldOut.length, 1);
  assert.throws(() => holdOut(1, 7), /one to hold out; there is 1\./);
});

Deno.test("the teacher's vectors are means of its last hidden states, of length 1, in order", async () => {
  const device = await testDevice();
  const folder = goldenFolder("model");
  const model = parseConfig(await readJsonObject(folder, "config.json"));
  const weights = await openWeights(folder, model, 5);
  const sentences = [[2, 9, 3], [2, 11, 12, 13, 14, 15, 3], [2, 8, 7, 3], [2, 30, 3]];
  const teacher = await Teacher.open(device, model, weights);
  const vectors = (await teacher.vectors(sentences))!;
  assert.equal(await teacher.vectors(sentences, () => true), undefined);
  teacher.destroy();
  const method = { method: "full" } as const;
  const built = await createModel(device, { config: model, method, classes: 5, weights, seed: 1 });
  for (const [index, sentence] of sentences.entries()) {
    device.beginStep(0, 0);
    const packed = packBatch(device, [sentence], [0], built.limits);
    const hidden = await built.model.hiddenStates(packed).at(-1)!.read();
    device.endStep();
    const width = model.hiddenSize;
    const mean = Array.from(
      { length: width },
      (_, column) => sentence.reduce((sum, _, row) => sum + hidden[row * width + column], 0),
    );
    const length = Math.hypot(...mean);
    const ours = vectors.subarray(index * width, (index + 1) * width);
    mean.forEach((value, i) => assert.ok(Math.abs(ours[i] - value / length) < 1e-5, `${index}`));
  }
  built.destroy();
  weights.close();
});

for (const name of ["distil", "mlm"] as const) {
  Deno.test(`${name}: what is written is read again, in f32 to the bit and in f16 rounded`, async () => {
    const { weights } = resultOf(await run(objectives[name], {}));
    const vocabulary = [
      "[PAD]",
      "[UNK]",
      "[CLS]",
      "[SEP]",
      "[MASK]",
      ..."abcdefghijklmnopqrstuvwxyz012345678",
    ];
    const vocab = new TextEncoder().encode(vocabulary.join("\n"));
    const tokenizer = await loadTokenizer(memoryFolder("v", new Map([["vocab.txt", vocab]])));
    for (const dtype of ["f32", "f16", "bf16"] as const) {
      const files = pretrainedFiles({ config, objective: name, weights, tokenizer, dtype });
      assert.equal(files.at(-1)!.name, "config.json");
      const content = files.map((file): [string, Uint8Array] => [
        file.name,
        new Uint8Array(piecesOf(file).flatMap((piece) => [...piece])),
      ]);
      const folder = memoryFolder("a model", new Map(content));
      const read = parseConfig(await readJsonObject(folder, "config.json"));
      assert.deepEqual(read, config);
      const source = await openWeights(folder, read, 3);
      for (const [key, { shape, data }] of weights) {
        if (!key.startsWith("bert.")) continue;
        const spec = {
          name: key,
          shape,
          init: { kind: "zeros" },
          role: "encoder",
          kind: "matrix",
        } as const;
        const found =
          (await source.read({ ...spec, decay: true, trainable: true, shape: [...shape] }))!;
        if (dtype === "f32") assert.deepEqual(found, data);
        const step = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 }[dtype];
        found.forEach((value, i) => {
          const near = Math.abs(value - data[i]) <= step * Math.abs(data[i]) + 1e-7;
          assert.ok(near, `${dtype} ${key}: ${value} for ${data[i]}`);
        });
      }
      source.close();
    }
  });
}
