/** Full models as transformers writes and reads them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../models/encoders/mod.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { exportRun } from "../../models/peft/export.ts";
import type { Method } from "../../models/peft/methods.ts";
import { folderTest, namesIn } from "../files/temporary.ts";
import { baseOf } from "../models/goldens.ts";
import { change, configOf, goldenRequest, labels, readRun, refusedTest, save } from "./folders.ts";

const full: Method = { method: "full" };
const architectures = {
  "full": "BertForSequenceClassification",
  "roberta-full": "RobertaForSequenceClassification",
  "distilbert-full": "DistilBertForSequenceClassification",
};

for (const [run, architecture] of Object.entries(architectures)) {
  folderTest(`${run}: a model has transformers' files, and its base's fields`, async (folder) => {
    const base = baseOf(run);
    const config = await configOf(run);
    const { weights, labels: read } = await readRun(base, config);
    assert.deepEqual(read, labels);
    const request = {
      ...goldenRequest(run, config, full, weights),
      labels: ["e", "d", "c", "b", "a"],
      tokenizerFiles: [{ name: "vocab.txt", bytes: new Uint8Array([65, 10]) }],
    };
    await save(folder, request);
    assert.deepEqual(await namesIn(folder), ["config.json", "model.safetensors", "vocab.txt"]);
    assert.deepEqual(
      await Deno.readFile(join(folder, "model.safetensors")),
      await Deno.readFile(join(base, "model.safetensors")),
    );
    const fields = await readJsonObject(hostFolder(folder), "config.json");
    assert.deepEqual(fields.id2label, { 0: "e", 1: "d", 2: "c", 3: "b", 4: "a" });
    assert.deepEqual(fields.label2id, { e: 0, d: 1, c: 2, b: 3, a: 4 });
    assert.deepEqual(fields.architectures, [architecture]);
    assert.equal(fields.torch_dtype, "float32");
    const baseFields = await readJsonObject(hostFolder(base), "config.json");
    for (const [field, value] of Object.entries(baseFields)) {
      if (!["id2label", "label2id", "dtype"].includes(field)) {
        assert.deepEqual(fields[field], value, field);
      }
    }
    const alone = join(folder, "alone");
    await save(alone, { ...request, baseModel: { name: "mini" } });
    assert.deepEqual(parseConfig(await readJsonObject(hostFolder(alone), "config.json")), config);
    await assert.rejects(
      exportRun({ ...request, tokenizerFiles: [{ name: "../x", bytes: new Uint8Array() }] }),
      /no plain file name/,
    );
  });
}

folderTest(
  "names of classes are those that both ways in a config.json tell, each once",
  async (folder) => {
    const config = await configOf("full");
    const { weights } = await readRun(baseOf("full"), config);
    await save(folder, goldenRequest("full", config, full, weights));
    const named = async (id2label: unknown, label2id: unknown) => {
      await change(folder, "config.json", { id2label, label2id });
      return (await readRun(folder, config)).labels;
    };
    const five = { 1: "b", 0: "a", 2: "c", 4: "e", 3: "d" };
    assert.deepEqual(await named(five, null), ["a", "b", "c", "d", "e"]);
    const ids = Object.fromEntries(Object.entries(five).map(([id, name]) => [name, Number(id)]));
    assert.deepEqual(await named(undefined, ids), ["a", "b", "c", "d", "e"]);
    assert.equal(await named(null, null), undefined);
    assert.equal(await named({ 0: "a", 1: "a" }, null), undefined);
    assert.equal(await named({ 0: "a", 5: "b" }, null), undefined);
  },
);

refusedTest([
  "fewer labels than classes",
  full,
  "config.json",
  { id2label: { 0: "joy", 1: "fear" } },
  /names 2 labels, but its classifier has 5 classes\.$/,
]);
refusedTest([
  "a model of another class",
  full,
  "config.json",
  { architectures: ["BertForTokenClassification"] },
  /"architectures" is \["BertForTokenClassification"\]; only BertForSequenceClassification/,
]);
refusedTest([
  "several labels a text",
  full,
  "config.json",
  { problem_type: "multi_label_classification" },
  /"problem_type" is "multi_label_classification"; only "single_label_classification"/,
]);
