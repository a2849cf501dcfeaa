/** Folders of the `output` adapter, whose format is this project's own. */
import assert from "node:assert/strict";
import { readJsonObject } from "../../models/files/json.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import type { Method } from "../../models/peft/methods.ts";
import { folderTest, namesIn } from "../files/temporary.ts";
import {
  config,
  configOf,
  distinctWeights,
  goldenRequest,
  labels,
  refusedTest,
  requestOf,
  save,
} from "./folders.ts";

const output: Method = { method: "adapter", size: 4, placement: "output" };
const file = "adapter_config.json";

folderTest("an output adapter's files are as its comment says", async (folder) => {
  await save(folder, requestOf(output, distinctWeights(output)));
  assert.deepEqual(await namesIn(folder), [file, "adapter.safetensors"].sort());
  const tensors = await readTensors(hostFolder(folder), "adapter.safetensors");
  assert.deepEqual([...tensors].map(([name, { shape }]) => [name, shape]), [
    ["bert.pooler.adapters.emotion.adapter_down.0.bias", [4]],
    ["bert.pooler.adapters.emotion.adapter_down.0.weight", [4, 32]],
    ["bert.pooler.adapters.emotion.adapter_up.bias", [32]],
    ["bert.pooler.adapters.emotion.adapter_up.weight", [32, 4]],
    ["classifier.bias", [5]],
    ["classifier.weight", [5, 32]],
  ]);
  assert.deepEqual(await readJsonObject(hostFolder(folder), file), {
    adapter_type: "pooled_output_bottleneck",
    base_model_name_or_path: "golden-bert",
    format_version: 1,
    hidden_size: config.hiddenSize,
    labels,
    model_type: "bert",
    name: "emotion",
    non_linearity: "relu",
    placement: "output",
    size: 4,
  });
});

folderTest("an output adapter of RoBERTa says so", async (folder) => {
  const model = await configOf("roberta-full");
  const weights = distinctWeights(output, model);
  await save(folder, goldenRequest("roberta-full", model, output, weights));
  assert.equal((await readJsonObject(hostFolder(folder), file)).model_type, "roberta");
  const tensors = await readTensors(hostFolder(folder), "adapter.safetensors");
  assert(tensors.has("roberta.pooler.adapters.emotion.adapter_up.weight"));
  assert(tensors.has("classifier.dense.weight"));
});

refusedTest(["a later format", output, file, { format_version: 2 }, /"format_version" is 2/]);
refusedTest(["no labels", output, file, { labels: ["a"] }, /"labels" should be the names/]);
refusedTest(["no size", output, file, { size: "4" }, /"size" should be a positive/]);
refusedTest(["another width", output, file, { size: 5 }, /is \[4, 32\] instead of \[5, 32\]/]);
