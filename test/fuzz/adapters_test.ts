/** Damaged configs: of models, of adapters that PEFT and AdapterHub wrote, and what a run.json says of them. */
import assert from "node:assert/strict";
import { findRun } from "../../cli/trained/run.ts";
import { planPush } from "../../cli/push/plan.ts";
import { inspectFolder } from "../../cli/inspect/folder.ts";
import { reportDocument, reportLines } from "../../cli/inspect/report.ts";
import { type EncoderConfig, encoderOf, parseConfig } from "../../models/encoders/mod.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { exportRun, type LoadedRun, readRun } from "../../models/peft/export.ts";
import { type Method, methodParameters, runName } from "../../models/peft/methods.ts";
import { golden } from "../files/temporary.ts";
import { config, distinctWeights, labels, requestOf } from "../peft/folders.ts";
import { bytesOf, type Files, filesOf, fuzz, fuzzOnDisk } from "./fuzz.ts";

const encoder = new TextEncoder();

/** Sizes and shares as the engine can take them. */
function checkConfig(config: EncoderConfig): void {
  assert.ok(encoderOf(config));
  const { layers, hiddenSize, heads, vocabSize, intermediateSize, maxPositions } = config;
  for (const size of [layers, hiddenSize, heads, vocabSize, intermediateSize, maxPositions]) {
    assert.ok(Number.isSafeInteger(size) && size >= 1, JSON.stringify(config));
  }
  assert.equal(hiddenSize % heads, 0);
  for (const share of [config.hiddenDropout, config.attentionDropout, config.classifierDropout]) {
    assert.ok(share >= 0 && share < 1, JSON.stringify(config));
  }
  for (const value of [config.layerNormEps, config.initializerRange]) {
    assert.ok(value >= 0 && Number.isFinite(value), JSON.stringify(config));
  }
}

for (const model of ["model", "models/roberta", "models/distilbert"]) {
  fuzz(
    `a damaged config.json of ${model}`,
    async () =>
      new Map([["config.json", await Deno.readFile(golden(...model.split("/"), "config.json"))]]),
    async (folder) => parseConfig(await readJsonObject(folder, "config.json"), "config.json"),
    { runs: 150, check: checkConfig },
  );
}

/** Weights are exactly the method's, and numbers; labels are as many as classes, of texts. */
function checkRun({ method, weights, labels: names }: LoadedRun): void {
  const classes = weights.get("classifier.bias")!.shape[0];
  const specs = methodParameters(config, method, classes).filter(({ trainable }) => trainable);
  assert.deepEqual([...weights.keys()].sort(), specs.map(({ name }) => name).sort());
  for (const { name, shape } of specs) assert.deepEqual(weights.get(name)!.shape, shape);
  for (const { data } of weights.values()) assert.ok(data.every(Number.isFinite));
  if (names === undefined) return;
  assert.equal(names.length, classes);
  assert.ok(names.every((name) => typeof name === "string"));
}

const adapters = ["lora", "dora", "lora-pattern", "lora-layers", "ia3", "adapter-houlsby"];

for (const run of adapters) {
  fuzz(
    `a damaged folder of ${run}`,
    () => filesOf(golden(run, run.startsWith("adapter") ? "adapterhub" : "peft")),
    (folder) => readRun(folder, config),
    { check: checkRun },
  );
}

const ownFormats: Method[] = [
  { method: "full" },
  { method: "adapter", size: 4, placement: "output" },
  { method: "adapter", size: 4, placement: "shared" },
];
for (const method of ownFormats) {
  fuzz(
    `a damaged folder of ${runName(method)}, as it is written here`,
    async () => {
      const files = await exportRun(requestOf(method, distinctWeights(method)));
      return new Map(files.map((file) => [file.name, bytesOf(file)]));
    },
    (folder) => readRun(folder, config),
    { check: checkRun },
  );
}

const record = {
  run: "lora-r4",
  method: "lora",
  labels,
  model: { name: golden("model"), folder: golden("model"), built_in: false },
  hyperparameters: {
    max_length: 12,
    batch_size: 4,
    frozen_dtype: "f32",
    seed: 1,
    learning_rate: 1e-3,
  },
  settings: { rank: 4, lora_target_modules: ["query", "value"] },
  dataset: {
    name: "moods.csv",
    source: "moods.csv",
    sample: false,
    text_column: "text",
    label_column: "label",
    hash: "h",
    max_samples: null,
    examples: 20,
    split: { train: 16, validation: 2, test: 2, seed: 42 },
  },
  trainable_params: 5,
  total_params: 50,
  best_epoch: 1,
  command: ["--rank", "4", "--dataset", "/home/me/moods.csv"],
  test: {
    count: 2,
    accuracy: 0.5,
    accuracy_interval_95: [0.1, 0.9],
    macro_precision: 0.5,
    macro_recall: 0.5,
    macro_f1: 0.5,
    per_class: labels.map((label) => ({ label, precision: 1, recall: 1, f1: 1, support: 1 })),
  },
};

async function runOnDisk(): Promise<Files> {
  const files = await filesOf(golden("lora", "peft"));
  return files.set("run.json", encoder.encode(JSON.stringify(record)));
}

const named = ["run.json", "adapter_config.json"];
const offline = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };

fuzzOnDisk("a damaged run, as predict and evaluate find it", runOnDisk, async (path) => {
  const found = await findRun(path, undefined, offline);
  checkRun(found);
  return found;
}, {
  names: named,
  check({ maxLength, batchSize, labels: names, data }) {
    assert.ok(Number.isSafeInteger(maxLength) && maxLength >= 3 && maxLength <= 64);
    assert.ok(Number.isSafeInteger(batchSize) && batchSize >= 1);
    assert.equal(new Set(names).size, 5);
    if (data) assert.ok(Number.isFinite(data.seed));
  },
});

fuzzOnDisk("a damaged run, as push plans to send it", runOnDisk, async (path) => {
  const plan = await planPush(
    {
      run: path,
      repo: "me/emo",
      baseModel: "org/bert",
      private: false,
      dryRun: true,
      showCard: false,
      json: false,
    } as Parameters<typeof planPush>[0],
  );
  return { plan, path };
}, {
  names: named,
  check({ plan, path }) {
    for (const { path: name, content } of plan.files) {
      assert.match(name, /^[\w.]+$/);
      if ("file" in content) assert.equal(content.file, `${path}/${name}`);
      else assert.ok(!content.text.includes("/home/me"), content.text);
    }
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(plan.card, /<script|[\x00-\x09\x0b-\x1f\x7f\u202e]/);
  },
});

fuzzOnDisk("a damaged run or model, as inspect tells it", async () => {
  const files = await runOnDisk();
  for (const name of ["config.json", "tokenizer.json", "vocab.txt"]) {
    files.set(`base/${name}`, await Deno.readFile(golden("model", name)));
  }
  return files;
}, async (path) => {
  const told = await Promise.all(
    [path, `${path}/base`].map((each) => inspectFolder(hostFolder(each))),
  );
  return told.map((
    found,
  ) => [JSON.stringify(reportDocument(found)), ...reportLines(found, true, 80)]);
}, {
  names: [...named, "adapter_model.safetensors", "base/config.json"],
  check: (told) => {
    // deno-lint-ignore no-control-regex
    for (const line of told.flat()) assert.doesNotMatch(line, /[\x00-\x1f\x7f\u202e]/);
  },
});
