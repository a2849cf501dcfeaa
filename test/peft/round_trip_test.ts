/** Every method: what is written is read again, what does not fit is not written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensors } from "../../models/files/safetensors.ts";
import { fileSource } from "../../models/host/files.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, runName } from "../../models/peft/methods.ts";
import { folderTest, namesIn } from "../files/temporary.ts";
import {
  config,
  configOf,
  distinctWeights,
  fails,
  goldenRequest,
  labels,
  readRun,
  requestOf,
  save,
} from "./folders.ts";

const lora = loraDefaults(2);
const pfeiffer: Method = { method: "adapter", size: 4, placement: "pfeiffer" };
const ia3: Method = { method: "ia3", targetModules: ["key", "value", "output"] };

const everywhere: Method[] = [
  { method: "full" },
  loraDefaults(3),
  { ...lora, useDora: true, bias: "lora_only" },
  ia3,
  ...(["shared", "output", "pfeiffer", "houlsby", "parallel"] as const).map((
    placement,
  ) => ({ method: "adapter" as const, size: 6, placement })),
];
const ofBert: Method[] = [
  {
    ...loraDefaults(4),
    alpha: 2.5,
    dropout: 0,
    useRslora: true,
    targetModules: ["key", "output.dense"],
  },
  { ...lora, bias: "all", layers: [0], modulesToSave: ["pooler"] },
  { ...lora, rankPattern: { "layer\\.0\\..*": 3 }, alphaPattern: { value: 1.5 } },
  { ...pfeiffer, poolerTrains: true },
  { ...pfeiffer, poolerTrains: true, pooledActivation: "relu" },
  { ...ia3, targetModules: ["query", "intermediate.dense"] },
  { ...ia3, targetModules: ["query", "output.dense"] },
  { ...ia3, targetModules: ["query", "output.dense"], feedforwardModules: ["query"] },
  { ...ia3, targetModules: ["query", "output.dense"], feedforwardModules: [] },
];

/** PEFT's format has no place for labels. */
const namesNoLabels = ({ method }: Method) => method === "lora" || method === "ia3";
/** What a name of a run leaves out. */
const patterns = (method: Method) => "rankPattern" in method && "value" in method.alphaPattern;
const titleOf = (method: Method) => `${runName(method)}${patterns(method) ? " with patterns" : ""}`;

for (const method of [...everywhere, ...ofBert]) {
  folderTest(`${titleOf(method)}: what is written is read again`, async (folder) => {
    const weights = distinctWeights(method);
    const { files, bytes } = await save(folder, requestOf(method, weights));
    assert.deepEqual(await namesIn(folder), [...files].sort());
    let stored = 0;
    for (const file of files) stored += (await Deno.stat(join(folder, file))).size;
    assert.equal(bytes, stored);
    for (const name of files.filter((name) => name.endsWith(".safetensors"))) {
      const file = await openSafetensors(await fileSource(join(folder, name)));
      assert.deepEqual(file.metadata, { format: "pt" });
      file.close();
    }
    const run = await readRun(folder, config);
    assert.deepEqual(run.method, method);
    assert.deepEqual([...run.weights], [...weights]);
    assert.deepEqual(run.labels, namesNoLabels(method) ? undefined : labels);
  });

  folderTest(`${titleOf(method)}: weights that do not fit are not written`, async (folder) => {
    const weights = distinctWeights(method);
    const classifier = weights.get("classifier.weight");
    assert(classifier);
    const missing = new Map(weights);
    missing.delete("classifier.weight");
    await assert.rejects(
      save(folder, requestOf(method, missing)),
      /"classifier\.weight" \[5, 32\] is missing/,
    );
    await assert.rejects(
      save(folder, requestOf(method, new Map([...weights, ["more", classifier]]))),
      /"more" is not one of its tensors/,
    );
    await assert.rejects(
      save(folder, requestOf(method, weights, { labels: ["a", "b"] })),
      /"classifier\.weight" is \[5, 32\] instead of \[2, 32\]/,
    );
    assert.deepEqual(await namesIn(folder), []);
  });
}

for (const encoder of ["roberta", "distilbert"]) {
  const run = `${encoder}-full`;
  for (const method of everywhere) {
    folderTest(`${encoder}, ${runName(method)}: what is written is read again`, async (folder) => {
      const model = await configOf(run);
      const weights = distinctWeights(method, model);
      await save(folder, goldenRequest(run, model, method, weights));
      const read = await readRun(folder, model);
      assert.deepEqual(read.method, method);
      assert.deepEqual([...read.weights], [...weights]);
      assert.deepEqual(read.labels, namesNoLabels(method) ? undefined : labels);
    });
  }
}

folderTest("missing pieces are errors that name them", async (folder) => {
  await fails(readRun(folder, config), /neither adapter_config\.json nor config\.json/);
  await save(folder, requestOf(pfeiffer, distinctWeights(pfeiffer)));
  await fails(readRun(folder, { ...config, layers: 3 }), /layer\.2\..* is missing/);
  await Deno.remove(join(folder, "head_config.json"));
  await fails(readRun(folder, config), /no head_config\.json: save the adapter with its head/);
  const headless = join(folder, "headless");
  await save(headless, requestOf(lora, distinctWeights(lora)));
  await Deno.copyFile(
    join(folder, "adapter.safetensors"),
    join(headless, "adapter_model.safetensors"),
  );
  await fails(readRun(headless, config), /holds no classifier/);
});
