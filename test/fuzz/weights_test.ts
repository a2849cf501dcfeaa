/** Damaged weights: safetensors files, shards, models, and the states of a training run. */
import assert from "node:assert/strict";
import { sizeOf } from "../../engine/shape.ts";
import { parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { openCheckpoint } from "../../models/files/checkpoint.ts";
import { type NamedTensors, readTensors } from "../../models/files/run_file.ts";
import { indexFile } from "../../models/files/shards.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { checkSums, sumsOf } from "../../models/host/checksums.ts";
import { defaultHyperparameters as hyperparameters } from "../../models/training/events.ts";
import { readState, stateFiles } from "../../models/training/state_files.ts";
import { stateOf, tinyConfig } from "../cli/fake_tools.ts";
import { golden } from "../files/temporary.ts";
import { bytesOf, type Files, filesOf, fuzz } from "./fuzz.ts";

const encoder = new TextEncoder();

const tensorsOf = (...names: string[]): NamedTensors =>
  new Map(names.map((name, i) => [name, {
    shape: [2, i + 1],
    data: Float32Array.from({ length: 2 * (i + 1) }, (_, at) => at - 0.5),
  }]));

/** Shapes fit their data, which is no more than the files hold, and all of it is numbers. */
function checkTensors(
  tensors: Iterable<{ shape: number[]; data: Float32Array }>,
  files: Files,
): void {
  let bytes = 0;
  for (const { shape, data } of tensors) {
    assert.equal(sizeOf(shape), data.length);
    assert.ok(data.every(Number.isFinite));
    bytes += data.byteLength;
  }
  const given = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes <= 2 * given, `${bytes} bytes of files of ${given}`); // f16 becomes f32
}

const single = "model.safetensors";
for (const dtype of ["f32", "f16"] as const) {
  fuzz(
    `a damaged safetensors file of ${dtype}`,
    new Map([[single, bytesOf({ name: single, tensors: tensorsOf("a", "b.weight", "c"), dtype })]]),
    (folder) => readTensors(folder, single),
    { check: (tensors, files) => checkTensors(tensors.values(), files) },
  );
}

const shards: Files = new Map([
  ["one.safetensors", bytesOf({ name: "", tensors: tensorsOf("a", "b") })],
  ["two.safetensors", bytesOf({ name: "", tensors: tensorsOf("c") })],
  [
    indexFile,
    encoder.encode(JSON.stringify({
      metadata: { total_size: 48 },
      weight_map: { a: "one.safetensors", b: "one.safetensors", c: "two.safetensors" },
    })),
  ],
]);
fuzz("damaged shards and their index", shards, async (folder) => {
  const checkpoint = await openCheckpoint(folder);
  try {
    const all = [];
    for (const [name, { shape }] of checkpoint.tensors) {
      all.push({ shape, data: await checkpoint.read(name) });
    }
    return all;
  } finally {
    checkpoint.close();
  }
}, {
  check(all, files) {
    for (const { shape, data } of all) assert.equal(sizeOf(shape), data.length);
    assert.ok(all.length <= files.size * 3);
  },
});

fuzz("a damaged model: its config and its weights", async () => {
  const all = await filesOf(golden("model"));
  return new Map([...all].filter(([name]) => ["config.json", single].includes(name)));
}, async (folder) => {
  const config = parseConfig(await readJsonObject(folder, "config.json"), "config.json");
  const weights = await openWeights(folder, config, 5);
  weights.close();
  return config;
}, {
  check: ({ layers, hiddenSize, heads }) => assert.deepEqual([layers, hiddenSize % heads], [2, 0]),
});

const state = stateOf({ method: { method: "full" }, model: tinyConfig, hyperparameters }, 3);
const written = [...stateFiles(state), { name: "steps.jsonl", content: '{"step":1}\n' }];
const states: Files = new Map(written.map((file) => [file.name, bytesOf(file)]));

fuzz(
  "a damaged state without sums, as older versions wrote it",
  states,
  (folder) => readState(folder),
  {
    check(read, files) {
      const { weights, best, optimizer, step, epoch, stepsOfEpoch } = read;
      checkTensors([...weights.values(), ...best?.weights.values() ?? []], files);
      for (const count of [optimizer.steps, step, epoch, stepsOfEpoch]) {
        assert.ok(Number.isInteger(count) && count >= 0, `${count}`);
      }
      for (const [name, { mean, variance }] of optimizer.moments) {
        const size = weights.get(name)!.data.length;
        assert.deepEqual([mean.length, variance.length], [size, size]);
      }
    },
  },
);

fuzz(
  "a damaged state with its sums is refused, or is what it was",
  new Map([...states, ["SHA256SUMS", encoder.encode(sumsOf(written))]]),
  async (folder) => {
    await checkSums(folder);
    return await readState(folder);
  },
  { check: (read) => assert.deepEqual(read, structuredClone(state)) },
);
