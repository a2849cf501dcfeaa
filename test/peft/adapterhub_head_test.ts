/** Heads of AdapterHub's AutoAdapterModel: those that an encoder's own layers compute are read, others refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type NamedTensors, readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import type { Method } from "../../models/peft/methods.ts";
import { folderTest } from "../files/temporary.ts";
import {
  change,
  config as bert,
  configOf,
  distinctWeights,
  fails,
  labels,
  readRun,
  requestOf,
  save,
} from "./folders.ts";

const own: Method = { method: "adapter", size: 4, placement: "pfeiffer", poolerTrains: true };
const plain: Method = { method: "adapter", size: 4, placement: "pfeiffer" };
const file = "head_config.json";

/** What the library writes of a head of its own, with its defaults. */
const defaults = {
  activation_function: "tanh",
  bias: true,
  dropout_prob: null,
  head_type: "classification",
  label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
  layers: 2,
  num_labels: 5,
  use_pooler: false,
};

/** A folder with such a head, some of its fields set differently; tensors by their names in the file. */
async function withHead(
  folder: string,
  fields: Record<string, unknown>,
  tensors?: NamedTensors,
): Promise<void> {
  await save(folder, requestOf(own, distinctWeights(own)));
  await change(folder, file, { config: { ...defaults, ...fields } });
  if (tensors) await writeFiles(folder, [{ name: "model_head.safetensors", tensors }]);
}

const tensor = (shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
});

folderTest(
  "a head of two layers stands in the place of the pooler and the classifier",
  async (folder) => {
    const weights = distinctWeights(own);
    await save(folder, requestOf(own, weights));
    const head = await readTensors(hostFolder(folder), "model_head.safetensors");
    assert.deepEqual(head.get("heads.emotion.1.weight"), weights.get("bert.pooler.dense.weight"));
    assert.deepEqual(head.get("heads.emotion.4.bias"), weights.get("classifier.bias"));
    assert.equal(head.size, 4);
  },
);

folderTest(
  "a head of one layer over the pooler is a classifier; without a bias, it is zero",
  async (folder) => {
    const weight = tensor([5, 32]);
    const fields = { layers: 1, use_pooler: true, bias: false };
    await withHead(folder, fields, new Map([["heads.emotion.1.weight", weight]]));
    const { method, weights, labels: names } = await readRun(folder, bert);
    assert.deepEqual(method, plain);
    assert.deepEqual(names, labels);
    assert.deepEqual(weights.get("classifier.weight"), weight);
    assert.deepEqual(weights.get("classifier.bias")?.data, new Float32Array(5));
  },
);

const refused: [string, Record<string, unknown>, RegExp][] = [
  [
    "one layer over the first row",
    { layers: 1 },
    /"layers" of the head is 1; 2 over the first token's row, or 1 over the pooler/,
  ],
  [
    "two layers over the pooler",
    { use_pooler: true },
    /"layers" of the head is 2; 1 over the pooler/,
  ],
  ["three layers", { layers: 3 }, /"layers" of the head is 3/],
  [
    "GELU",
    { activation_function: "gelu" },
    /"activation_function" of the head is "gelu"; .* only "tanh" and "relu"/,
  ],
  ["no activation", { activation_function: null }, /"activation_function" of the head is null/],
  [
    "several labels a text",
    { head_type: "multilabel_classification" },
    /"head_type" of the head is "multilabel_classification"; only "classification"/,
  ],
  ["a field of a later library", { pooling: "mean" }, /"pooling" of the head is "mean"/],
  ["another name than its tensors", {}, /holds no classifier/],
  ["a label too few", { label2id: { a: 0 } }, /names 1 label, but the classifier beside it has 5/],
];
for (const [what, fields, message] of refused) {
  folderTest(`a head of ${what} is refused`, async (folder) => {
    await withHead(folder, fields);
    if (what.startsWith("another name")) await change(folder, file, { name: "mood" });
    await fails(readRun(folder, bert), message);
  });
}

folderTest("an encoder without a pooler has no head over one", async (folder) => {
  const roberta = await configOf("roberta-full");
  const weights = distinctWeights(plain, roberta);
  await save(folder, requestOf(plain, weights, { config: roberta }));
  const config = { ...defaults, layers: 1, use_pooler: true };
  await change(folder, file, { config, model_class: "RobertaAdapterModel", name: "emotion" });
  await fails(readRun(folder, roberta), /"use_pooler" of the head is true; roberta has no pooler/);
});

for (
  const [pickle, wanted] of [
    ["pytorch_adapter.bin", "adapter.safetensors"],
    ["pytorch_model_head.bin", "model_head.safetensors"],
  ]
) {
  folderTest(`${pickle} alone is refused by the flag that saves no pickles`, async (folder) => {
    await save(folder, requestOf(plain, distinctWeights(plain)));
    await Deno.rename(join(folder, wanted), join(folder, pickle));
    await fails(readRun(folder, bert), /only, a pickle.*Save it again with use_safetensors=True/);
  });
}
