/** Several runs over one base: the numbers of each are those that it has alone, and the base is there once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { comparisonTable, timingLines } from "../../cli/predict/report.ts";
import { placeRuns } from "../../cli/trained/labeller.ts";
import { findRun } from "../../cli/trained/run.ts";
import { findRuns, isWhole, type NamedRun, runNames } from "../../cli/trained/runs.ts";
import { createBase, createModel } from "../../models/model.ts";
import { randomWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { folderTest, golden, goldenFolder, withFolder } from "../files/temporary.ts";
import { runPredict } from "./command.ts";
import { testDevice } from "../models/device.ts";
import {
  config,
  distinctWeights,
  fails,
  goldenStart,
  labels,
  requestOf,
  save,
} from "../peft/folders.ts";

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };
const texts = ["the cat sat", "a dog", "b c d e f g", "the the the", "a"];

/** Golden runs of one base. Biases of 32 values lie in a stack where no binding may start. */
const folders: Record<string, string> = {
  lora: golden("lora", "peft"),
  "lora-bias": golden("lora-bias", "peft"),
  "lora-pooler": golden("lora-pooler", "peft"),
  dora: golden("dora", "peft"),
  ia3: golden("ia3", "peft"),
  adapter: golden("adapter-houlsby", "adapterhub"),
};

async function named(name: string, folder: string, more = {}): Promise<NamedRun> {
  const run = await findRun(folder, name === "full" ? undefined : golden("model"), hub);
  return { name, run: { ...run, ...more }, sizes: { maxLength: 16, batchSize: 2 } };
}

async function saveFull(folder: string) {
  const { files } = await loadTokenizer(goldenFolder("model"));
  const weights = await goldenStart("full");
  await save(folder, requestOf({ method: "full" }, weights, { tokenizerFiles: files }));
}

folderTest("runs over one base share its tokenizer, and what is said of it", async (folder) => {
  const base = join(folder, "base");
  await Deno.mkdir(base);
  for (const { name } of Deno.readDirSync(golden("model"))) {
    await Deno.copyFile(golden("model", name), join(base, name));
  }
  const config = { added_tokens_decoder: { "7": { content: "[PAD]" } } };
  await Deno.writeTextFile(join(base, "tokenizer_config.json"), JSON.stringify(config));
  const paths = [golden("lora", "peft"), golden("ia3", "peft")].map((path, place) => {
    const link = join(folder, `run-${place}`);
    Deno.symlinkSync(Deno.realPathSync(path), link);
    return link;
  });
  const labeller = await placeRuns(await testDevice(), await findRuns(paths, base, {}, hub));
  assert.equal(labeller.notices.length, 1);
  assert.match(labeller.notices[0], /the token "\[PAD\]" has the id 0, .* not 7/);
  labeller.close();
  const { code, stderr } = await runPredict(["--run", paths[0], "--model_name", base, "a cat"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr.replace(/[!\s]+/g, " "), /"\[PAD\]" has the id 0/);
});

folderTest("each run has the bits that it has alone, in any order, and again", async (folder) => {
  const device = await testDevice();
  await saveFull(join(folder, "full"));
  const r8 = { ...loraDefaults(8), targetModules: ["query", "key", "value", "output"] };
  await save(join(folder, "r8"), requestOf(r8, distinctWeights(r8)));
  const runs = await Promise.all([
    ...Object.entries(folders).map(([name, path]) => named(name, path)),
    named("r8", join(folder, "r8")),
    named("r8 in bf16", join(folder, "r8"), { frozenDtype: "bf16" }),
    named("full", join(folder, "full")),
  ]);
  const alone: Float64Array[][] = [];
  for (const run of runs) {
    const labeller = await placeRuns(device, [run]);
    alone.push(...await labeller.label(texts));
    labeller.close();
  }
  const different = new Set(alone.map((rows) => rows.map((row) => row.join()).join()));
  assert.equal(different.size, runs.length, "the runs tell their places apart");
  for (const order of [runs.map((_, place) => place), runs.map((_, place) => place).reverse()]) {
    const labeller = await placeRuns(device, order.map((place) => runs[place]));
    const expected = order.map((place) => alone[place]);
    assert.deepEqual(await labeller.label(texts), expected);
    assert.deepEqual(await labeller.label(texts), expected);
    const { bases, runs: timed } = labeller.timings;
    assert.deepEqual(bases.map(({ dtype }) => dtype).sort(), ["bf16", "f32"]);
    assert.ok(timed.every(({ perSentence }) => perSentence.length === 2));
    labeller.close();
  }
  device.trim();
  const held = device.memory.heldBytes;
  const again = await placeRuns(device, runs);
  again.close();
  assert.equal(device.memory.heldBytes, held, "nothing is left");
});

Deno.test("what is frozen lies on the GPU once, and is read once", async () => {
  const device = await testDevice();
  const reads: string[] = [];
  const source = randomWeights("a test");
  const weights: WeightSource = {
    ...source,
    read(wanted) {
      reads.push(wanted.name);
      return source.read(wanted);
    },
  };
  const before = device.memory.heldBytes;
  const base = await createBase(device, { config, weights });
  const ofBase = device.memory.heldBytes - before;
  assert.equal(reads.length, new Set(reads).size);
  assert.ok(!reads.some((name) => name.startsWith("classifier")));
  const r4 = loraDefaults(4);
  const options = { config, classes: 5, weights, seed: 1, base };
  for (
    const [method, mayOwn] of [
      [r4, /lora_|classifier/],
      [{ ...r4, bias: "lora_only" }, /lora_|classifier|(query|value|key)\.bias/],
      [{ ...r4, modulesToSave: ["pooler"] }, /lora_|classifier|pooler/],
      // Key and value stand alone there, and the stack has their biases where no binding may start.
      [{ method: "ia3", targetModules: ["key"] }, /ia3_l|classifier|(key|value)\.bias/],
    ] as const
  ) {
    reads.length = 0;
    const built = await createModel(device, { ...options, method: method as typeof r4 });
    const owned = built.specs.filter(({ name }) => built.parameters.owns(name));
    for (const { name } of owned) assert.match(name, mayOwn);
    for (const { name, trainable } of built.specs) {
      assert.ok(!trainable || built.parameters.owns(name), name);
    }
    assert.deepEqual(reads.toSorted(), owned.map(({ name }) => name).sort());
    built.destroy();
    assert.equal(device.memory.heldBytes - before, ofBase, "the base outlives the model");
  }
  base.destroy();
  assert.equal(device.memory.heldBytes, before);
});

Deno.test("a new DoRA starts from the lengths of the base's rows, also of one that is shared", async () => {
  const device = await testDevice();
  const options = { config, classes: 5, weights: randomWeights("a test"), seed: 1 };
  const method = { ...loraDefaults(4), useDora: true };
  const base = await createBase(device, options);
  const lengths = await Promise.all([undefined, base].map(async (base) => {
    const built = await createModel(device, { ...options, method, base });
    const name = "bert.encoder.layer.1.attention.self.value.lora_magnitude_vector";
    const values = await built.parameters.get(name).read();
    built.destroy();
    return values;
  }));
  assert.deepEqual(lengths[1], lengths[0]);
  assert.ok(lengths[0].every((length) => length > 0));
  base.destroy();
});

Deno.test("runs of different bases, and one named twice, are refused by name", async () => {
  await withFolder(async (folder) => {
    const over = async (name: string, base: string) => {
      const path = join(folder, name);
      await Deno.mkdir(path);
      for (const file of await goldenFolder("lora", "peft").list()) {
        await Deno.copyFile(golden("lora", "peft", file), join(path, file));
      }
      const model = { name: base };
      await Deno.writeTextFile(join(path, "run.json"), JSON.stringify({ model, labels }));
      return path;
    };
    const other = join(folder, "other");
    await Deno.mkdir(other);
    for (const file of await goldenFolder("model").list()) {
      await Deno.copyFile(golden("model", file), join(other, file));
    }
    const one = await over("one", golden("model"));
    const two = await over("two", other);
    await fails(
      findRuns([one, two], undefined, {}, hub),
      /^one lies over .*model, but two lies over .*other: .* one base model\. Label .* alone\.$/,
    );
    // A name of the base that is given stands for all of them.
    assert.equal((await findRuns([one, two], other, {}, hub)).length, 2);
    await fails(findRuns([one, two, `${one}/`], undefined, {}, hub), /one\/ is named twice/);
    await saveFull(join(folder, "full"));
    const mixed = await findRuns([one, join(folder, "full")], undefined, {}, hub);
    assert.deepEqual(mixed.map(({ run }) => isWhole(run)), [false, true]);
  });
});

Deno.test("runs are called by their folders, or by their paths where those are alike", () => {
  assert.deepEqual(runNames(["a/lora-r4", "b/ia3"]), ["lora-r4", "ia3"]);
  assert.deepEqual(runNames(["a/lora-r4", "b/lora-r4"]), ["a/lora-r4", "b/lora-r4"]);
});

Deno.test("a table has a column a run, or a row where columns are too wide", () => {
  const of = (...labels: string[]) =>
    labels.map((label, place) => ({ label, probability: 0.75 - place / 2 }));
  const comparisons = [
    { text: "I am\nhappy and more", rankings: [of("joy", "fear"), of("joy")] },
    { text: "no", rankings: [of("fear", "joy"), of("anger")] },
  ];
  const names = ["lora-r4", "full"];
  assert.deepEqual(comparisonTable(names, comparisons, 1, 80), [
    "Text                 lora-r4      full          Same",
    "───────────────────  ───────────  ────────────  ────",
    "I am happy and more  joy 0.7500   joy 0.7500    yes",
    "no                   fear 0.7500  anger 0.7500  no",
  ]);
  assert.deepEqual(comparisonTable(names, comparisons.slice(1), 2, 40), [
    "Text  lora-r4      full          Same",
    "────  ───────────  ────────────  ────",
    "no    fear 0.7500  anger 0.7500  no",
    "      joy 0.2500",
  ]);
  const narrow = comparisonTable(names, comparisons, 2, 44);
  for (const line of narrow) assert.ok(line.length <= 44, line);
  assert.deepEqual(narrow.slice(2).map((line) => line.split(/ {2,}/)), [
    ["I am hap…", "lora-r4", "joy", "0.7500", "yes"],
    ["", "fear", "0.2500"],
    ["", "full", "joy", "0.7500"],
    ["no", "lora-r4", "fear", "0.7500", "no"],
    ["", "joy", "0.2500"],
    ["", "full", "anger", "0.7500"],
  ]);
});

Deno.test("times are told a base and a run a line", () => {
  const runs = [
    { name: "lora-r4", whole: false, trained: 9869, placing: 0.5, perSentence: [3, 100, 2, 1] },
    { name: "full", whole: true, trained: 1e6, placing: 1234, perSentence: [20] },
    { name: "unused", whole: true, trained: 1, placing: 1, perSentence: [] },
  ];
  const bases = [{ name: "mini", dtype: "bf16", placing: 12 } as const];
  assert.deepEqual(timingLines({ bases, runs }), [
    "Base mini in bf16: loaded once, in 12 ms",
    "lora-r4: 9,869 values of its own in 0.50 ms; 2.5 ms a sentence (median of 4)",
    "full: 1,000,000 values (a whole model) in 1,234 ms; 20 ms a sentence",
  ]);
});
