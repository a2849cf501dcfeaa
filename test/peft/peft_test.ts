/** LoRA, DoRA and IA³ folders as Hugging Face's PEFT writes and reads them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { type NamedTensors, readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { folderTest, golden } from "../files/temporary.ts";
import { goldenMethods } from "../models/goldens.ts";
import {
  change,
  config,
  configOf,
  distinctWeights,
  fails,
  goldenRequest,
  goldenStart,
  labels,
  readRun,
  requestOf,
  save,
} from "./folders.ts";

const runs = [
  "lora",
  "lora-rslora-all",
  "lora-bias",
  "lora-bias-all",
  "lora-layers",
  "lora-pattern",
  "lora-pattern-regex",
  "lora-pooler",
  "dora",
  "ia3",
  "roberta-lora",
  "roberta-ia3",
  "distilbert-lora",
  "distilbert-ia3",
  "wide-lora",
  "odd-lora",
];

const weightsFile = "adapter_model.safetensors";
const configFile = "adapter_config.json";

/** With bias "all", PEFT writes the head's bias twice more, from inside its wrappers; it needs neither. */
const isCopy = (name: string) => /\.(original_module|modules_to_save)\.bias$/.test(name);
const plain = (name: string) => name.replace("base_model.model.", "").replace(".base_layer.", ".");
/** PEFT keeps module names in a set, and writes them in an order of its own. */
const sorted = (value: unknown) => Array.isArray(value) ? value.toSorted() : value;

for (const run of runs) {
  folderTest(`${run}: PEFT's folder is read and written as PEFT does`, async (folder) => {
    const theirs = golden(run, "peft");
    const model = await configOf(run);
    const { method, weights, labels: none } = await readRun(theirs, model);
    assert(method.method === "lora" || method.method === "ia3");
    assert.equal(none, undefined);
    const { targetModules: targets, ...rest } = method;
    const { targetModules: known, ...others } = goldenMethods[run] as typeof method;
    assert.deepEqual(rest, others);
    assert.deepEqual(targets.toSorted(), known.toSorted());
    const start = new Map([...await goldenStart(run)].map(([name, x]) => [plain(name), x]));
    assert.equal(weights.size, start.size);
    for (const [name, tensor] of weights) assert.deepEqual(tensor, start.get(name), name);

    await save(folder, goldenRequest(run, model, method, weights));
    if (run === "lora-bias-all") {
      const stored: NamedTensors = await readTensors(hostFolder(theirs), weightsFile);
      const copies = [...stored.keys()].filter(isCopy);
      assert.equal(copies.length, 2);
      for (const name of copies) stored.delete(name);
      assert.deepEqual(await readTensors(hostFolder(folder), weightsFile), stored);
    } else {
      assert.deepEqual(
        await Deno.readFile(join(folder, weightsFile)),
        await Deno.readFile(join(theirs, weightsFile)),
      );
    }
    const ourFields = await readJsonObject(hostFolder(folder), configFile);
    const theirFields = await readJsonObject(hostFolder(theirs), configFile);
    // PEFT adds its two names to whatever was asked for, even twice.
    theirFields.modules_to_save = [...new Set(theirFields.modules_to_save as string[])];
    for (const [field, value] of Object.entries(ourFields)) {
      assert.deepEqual(sorted(value), sorted(theirFields[field]), field);
    }
    // What we leave out has its default in theirs.
    const left = Object.entries(theirFields).filter(([field, value]) =>
      !(field in ourFields) && value !== null && value !== false
    );
    assert.deepEqual(
      left.map(([field]) => field),
      method.method === "lora" ? ["peft_version", "qalora_group_size"] : ["peft_version"],
    );
  });
}

folderTest("a LoRA folder's labels come from its run.json", async (folder) => {
  const method = loraDefaults(2);
  await save(folder, requestOf(method, distinctWeights(method)));
  assert.equal((await readRun(folder, config)).labels, undefined);
  const runJson = (names: unknown) =>
    Deno.writeTextFile(join(folder, "run.json"), toJson({ labels: names }));
  await runJson(labels);
  assert.deepEqual((await readRun(folder, config)).labels, labels);
  await runJson(["one"]);
  await fails(readRun(folder, config), /names 1 label, but the classifier .* has 5/);
  await runJson("joy");
  await fails(readRun(folder, config), /"labels" should be a list/);
});

folderTest("a target that no layer is called is passed over, as PEFT does", async (folder) => {
  const method = loraDefaults(2);
  await save(folder, requestOf(method, distinctWeights(method)));
  await change(folder, configFile, { target_modules: ["value", "q_lin", "query"] });
  assert.deepEqual((await readRun(folder, config)).method, method);
});

folderTest("PEFT's folder of another encoder does not fit", async () => {
  const distilbert = await configOf("distilbert-lora");
  await fails(
    readRun(golden("lora", "peft"), distilbert),
    /holds no whole classifier: "pre_classifier\.weight" is missing/,
  );
});

folderTest("a folder of pickles is refused by the flag that saved it", async (folder) => {
  const method = loraDefaults(2);
  await save(folder, requestOf(method, distinctWeights(method)));
  await Deno.rename(join(folder, weightsFile), join(folder, "adapter_model.bin"));
  await fails(
    readRun(folder, config),
    /adapter_model\.bin only, a pickle.*Save it again without safe_serialization=False/,
  );
});
