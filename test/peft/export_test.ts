import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { type BertConfig, parseBertConfig } from "../../models/bert/config.ts";
import { bertParameters } from "../../models/bert/parameters.ts";
import { sizeOf } from "../../engine/shape.ts";
import { openWeights } from "../../models/bert/weights.ts";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { type NamedTensors, readTensors } from "../../models/files/run_file.ts";
import { openSafetensors } from "../../models/files/safetensors.ts";
import { fileSource, hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import {
  exportRandomBase,
  type ExportRequest,
  exportRun,
  readRun as readRunOf,
} from "../../models/peft/export.ts";
import { loraDefaults, type Method, methodParameters, runName } from "../../models/peft/method.ts";
import { baseSeed, initialValues } from "../../models/peft/model.ts";
import { folderTest, golden, goldenFolder, namesIn } from "../files/temporary.ts";

const config = parseBertConfig(await readJsonObject(goldenFolder("model"), "config.json"));
/** The golden model's, in the order of its classifier's rows; not sorted, so that a sort shows. */
const labels = ["sadness", "joy", "love", "anger", "fear"];
const goldenBert = { name: "golden-bert", folder: goldenFolder("model") };

const readRun = (folder: string, model: BertConfig) => readRunOf(hostFolder(folder), model);

/** Exports a run and writes its files. */
async function save(folder: string, request: ExportRequest) {
  return await writeFiles(folder, await exportRun(request));
}

function requestOf(
  method: Method,
  weights: NamedTensors,
  more: Partial<ExportRequest> = {},
): ExportRequest {
  return {
    method,
    config,
    labels,
    baseModel: goldenBert,
    weights,
    tokenizerFiles: [],
    ...more,
  };
}

/** Tensors of a method whose values all differ. */
function distinctWeights(method: Method, model: BertConfig = config): NamedTensors {
  let next = 0;
  return new Map(
    methodParameters(model, method, labels.length).filter((spec) => spec.trainable).map((spec) => [
      spec.name,
      {
        shape: spec.shape,
        data: Float32Array.from({ length: sizeOf(spec.shape) }, () => ++next / 1024),
      },
    ]),
  );
}

/** The values with which a golden run starts, under the names of PEFT's or AdapterHub's files. */
async function goldenStart(run: string): Promise<NamedTensors> {
  const all = await readTensors(goldenFolder(run), "golden.safetensors");
  return new Map(
    [...all].filter(([name]) => name.startsWith("init.")).map((
      [name, tensor],
    ) => [name.replace(/^init\./, ""), tensor]),
  );
}

async function fails(promise: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

const methods: Method[] = [
  { method: "full" },
  loraDefaults(3),
  {
    ...loraDefaults(4),
    alpha: 2.5,
    dropout: 0,
    useRslora: true,
    targetModules: ["key", "output.dense"],
  },
  ...(["shared", "output", "pfeiffer", "houlsby", "parallel"] as const).map((
    placement,
  ) => ({ method: "adapter" as const, size: 6, placement })),
];

for (const method of methods) {
  folderTest(`${runName(method)}: what is written is read again`, async (folder) => {
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
    assert.deepEqual(run.labels, method.method === "lora" ? undefined : labels);
  });

  folderTest(`${runName(method)}: weights that do not fit are not written`, async (folder) => {
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

for (const run of ["lora", "lora-rslora-all"]) {
  folderTest(`${run}: PEFT's folder is read and written as PEFT does`, async (folder) => {
    const theirs = golden(run, "peft");
    const { method, weights, labels: none } = await readRun(theirs, config);
    assert(method.method === "lora");
    assert.equal(none, undefined);
    const start = await goldenStart(run);
    assert.equal(weights.size, start.size);
    for (const [name, { shape, data }] of weights) {
      assert.deepEqual({ shape, data }, start.get(`base_model.model.${name}`), name);
    }
    await save(folder, requestOf(method, weights));
    assert.deepEqual(
      await Deno.readFile(join(folder, "adapter_model.safetensors")),
      await Deno.readFile(join(theirs, "adapter_model.safetensors")),
    );
    const ourFields = await readJsonObject(hostFolder(folder), "adapter_config.json");
    const theirFields = await readJsonObject(hostFolder(theirs), "adapter_config.json");
    // PEFT adds its two names to whatever was asked for, even twice.
    theirFields.modules_to_save = ["classifier", "score"];
    for (const [field, value] of Object.entries(ourFields)) {
      assert.deepEqual(value, theirFields[field], field);
    }
    // What we leave out has its default in theirs.
    const left = Object.entries(theirFields).filter(([field, value]) =>
      !(field in ourFields) && value !== null && value !== false
    );
    assert.deepEqual(left.map(([field]) => field), ["peft_version", "qalora_group_size"]);
  });
}

folderTest("the base that is saved is the random start that runs have", async (folder) => {
  const request = { config, labels, baseModel: goldenBert, tokenizerFiles: [] };
  await writeFiles(folder, await exportRandomBase(request));
  const weights = await openWeights(hostFolder(folder), config);
  for (const spec of bertParameters(config, labels.length)) {
    assert.deepEqual(await weights.read(spec), initialValues(spec, baseSeed), spec.name);
  }
  weights.close();
});

folderTest("a LoRA folder's labels come from its run.json", async (folder) => {
  const method = loraDefaults(2);
  await save(folder, requestOf(method, distinctWeights(method)));
  assert.equal((await readRun(folder, config)).labels, undefined);
  const runJson = (names: unknown) =>
    Deno.writeTextFile(join(folder, "run.json"), toJson({ labels: names }));
  await runJson(labels);
  assert.deepEqual((await readRun(folder, config)).labels, labels);
  await runJson(["one"]);
  await fails(readRun(folder, config), /names 1 labels, but the classifier .* has 5/);
  await runJson("joy");
  await fails(readRun(folder, config), /"labels" should be a list/);
});

for (const placement of ["pfeiffer", "houlsby", "parallel", "shared"] as const) {
  const run = `adapter-${placement}`;
  folderTest(
    `${run}: AdapterHub's folder is read and written as AdapterHub does`,
    async (folder) => {
      const theirs = golden(run, "adapterhub");
      const loaded = await readRun(theirs, config);
      const asRead = placement === "shared" ? "pfeiffer" : placement;
      assert.deepEqual(loaded.method, { method: "adapter", size: 8, placement: asRead });
      assert.deepEqual(loaded.labels, labels);
      const start = await goldenStart(run);
      for (const [name, tensor] of loaded.weights) {
        // The golden of `shared` holds its one bottleneck once, as the first layer's.
        const stored = placement === "shared" ? name.replace(/layer\.\d+/, "layer.0") : name;
        assert.deepEqual(tensor, start.get(stored), name);
      }

      const method: Method = { method: "adapter", size: 8, placement };
      const weights = placement === "shared"
        ? new Map(
          [...loaded.weights].filter(([name]) => !name.includes("layer.1")).map((
            [name, tensor],
          ) => [
            name.replace("bert.encoder.layer.0.output.adapters", "bert.encoder.shared_adapter"),
            tensor,
          ]),
        )
        : loaded.weights;
      await save(folder, requestOf(method, weights));
      assert.deepEqual(await namesIn(folder), await namesIn(theirs));
      for (const file of ["adapter.safetensors", "model_head.safetensors"]) {
        assert.deepEqual(
          await readTensors(hostFolder(folder), file),
          await readTensors(hostFolder(theirs), file),
        );
      }
      // As text, so that 1.0 is not 1; `shared` has one line more.
      for (const file of ["adapter_config.json", "head_config.json"]) {
        const text = await Deno.readTextFile(join(folder, file));
        assert.equal(
          text.replace(/\n {2}"placement": "shared",/, "").trim(),
          (await Deno.readTextFile(join(theirs, file))).trim(),
        );
        assert.equal(
          text.includes("placement"),
          placement === "shared" && file.startsWith("adapter"),
        );
      }
    },
  );
}

folderTest("the bottleneck's size survives the loader's floor(hidden / factor)", async (folder) => {
  const factorOf = async (hiddenSize: number, size: number): Promise<number> => {
    const tiny = { ...config, hiddenSize, layers: 1 };
    const method: Method = { method: "adapter", size, placement: "pfeiffer" };
    const weights = distinctWeights(method, tiny);
    await save(folder, requestOf(method, weights, { config: tiny }));
    const text = await Deno.readTextFile(join(folder, "adapter_config.json"));
    assert.match(text, /"scaling": 1\.0,/);
    return Number(/"reduction_factor": ([\d.e+-]+)/.exec(text)?.[1]);
  };
  const sizes = fc.tuple(fc.integer({ min: 4, max: 64 }), fc.integer({ min: 1, max: 100 }));
  await fc.assert(
    fc.asyncProperty(sizes, async ([hidden, size]) => {
      assert.equal(Math.floor(hidden / await factorOf(hidden, size)), size);
    }),
    { numRuns: 20 },
  );
  assert.equal(await factorOf(768, 64), 768 / 64.5);
});

folderTest("a shared adapter whose layers differ is refused as such", async (folder) => {
  const method: Method = { method: "adapter", size: 4, placement: "pfeiffer" };
  await save(folder, requestOf(method, distinctWeights(method)));
  const path = join(folder, "adapter_config.json");
  await Deno.writeTextFile(
    path,
    toJson({
      ...await readJsonObject(hostFolder(folder), "adapter_config.json"),
      placement: "shared",
    }),
  );
  await fails(readRun(folder, config), /layer\.1\..*differs from the first layer's/);
});

folderTest("an adapter of another name is read under ours", async (folder) => {
  const theirs = golden("adapter-pfeiffer", "adapterhub");
  for (const file of await namesIn(theirs)) {
    await Deno.copyFile(join(theirs, file), join(folder, file));
  }
  const stored = [...await readTensors(hostFolder(theirs), "adapter.safetensors")];
  const tensors = new Map(
    stored.map(([name, tensor]) => [name.replace(".emotion.", ".my.mood."), tensor]),
  );
  await writeFiles(folder, [{ name: "adapter.safetensors", tensors }]);
  const path = join(folder, "adapter_config.json");
  await fails(readRun(folder, config), /is missing/);
  await Deno.writeTextFile(
    path,
    toJson({ ...await readJsonObject(hostFolder(folder), "adapter_config.json"), name: "my.mood" }),
  );
  assert.deepEqual(
    [...(await readRun(folder, config)).weights],
    [...(await readRun(theirs, config)).weights],
  );
});

folderTest("a full model has transformers' files, and its base's fields", async (folder) => {
  const method: Method = { method: "full" };
  const { weights, labels: read } = await readRun(golden("model"), config);
  assert.deepEqual(read, labels);
  const tokenizerFiles = [{ name: "vocab.txt", bytes: new Uint8Array([65, 10]) }];
  const names = ["e", "d", "c", "b", "a"];
  const request = requestOf(method, weights, { labels: names, tokenizerFiles });
  await save(folder, request);
  assert.deepEqual(await namesIn(folder), ["config.json", "model.safetensors", "vocab.txt"]);
  assert.deepEqual(
    await Deno.readFile(join(folder, "model.safetensors")),
    await Deno.readFile(golden("model", "model.safetensors")),
  );
  const fields = await readJsonObject(hostFolder(folder), "config.json");
  const base = await readJsonObject(goldenFolder("model"), "config.json");
  assert.deepEqual(fields.id2label, { 0: "e", 1: "d", 2: "c", 3: "b", 4: "a" });
  assert.deepEqual(fields.label2id, { e: 0, d: 1, c: 2, b: 3, a: 4 });
  assert.deepEqual(fields.architectures, ["BertForSequenceClassification"]);
  assert.equal(fields.torch_dtype, "float32");
  for (const [field, value] of Object.entries(base)) {
    if (!["id2label", "label2id", "dtype"].includes(field)) {
      assert.deepEqual(fields[field], value, field);
    }
  }
  const alone = join(folder, "alone");
  await save(alone, { ...request, baseModel: { name: "mini" } });
  assert.deepEqual(parseBertConfig(await readJsonObject(hostFolder(alone), "config.json")), config);
  await assert.rejects(
    exportRun({ ...request, tokenizerFiles: [{ name: "../x", bytes: new Uint8Array() }] }),
    /no plain file name/,
  );
});

const lora = loraDefaults(2);
const pfeiffer: Method = { method: "adapter", size: 4, placement: "pfeiffer" };
const output: Method = { method: "adapter", size: 4, placement: "output" };

/** A folder of a method with some fields of a JSON file set differently, and what is said of it. */
const refused: [string, Method, string, Record<string, unknown>, RegExp][] = [
  [
    "another PEFT method",
    lora,
    "adapter_config.json",
    { peft_type: "IA3" },
    /"peft_type" is "IA3"/,
  ],
  ["DoRA", lora, "adapter_config.json", { use_dora: true }, /"use_dora" is true/],
  [
    "ranks by layer",
    lora,
    "adapter_config.json",
    { rank_pattern: { query: 8 } },
    /"rank_pattern" is \{"query":8\}/,
  ],
  ["trained biases", lora, "adapter_config.json", { bias: "all" }, /"bias" is "all"/],
  [
    "PiSSA",
    lora,
    "adapter_config.json",
    { init_lora_weights: "pissa_niter_16" },
    /"init_lora_weights" is "pissa/,
  ],
  [
    "a pattern of targets",
    lora,
    "adapter_config.json",
    { target_modules: ".*query" },
    /only a list of module names/,
  ],
  ["a rank that is none", lora, "adapter_config.json", { r: 0 }, /"r" is 0/],
  [
    "another rank than the tensors'",
    lora,
    "adapter_config.json",
    { r: 8 },
    /lora_A\.weight" is \[2, 32\] instead of \[8, 32\]/,
  ],
  [
    "fewer targets than tensors",
    lora,
    "adapter_config.json",
    { target_modules: ["query"] },
    /value\.lora_A\.weight" is not one of its tensors/,
  ],
  [
    "another bottleneck",
    pfeiffer,
    "adapter_config.json",
    { config: { non_linearity: "gelu", output_adapter: true, original_ln_before: true } },
    /"non_linearity" is "gelu"/,
  ],
  [
    "no bottleneck",
    pfeiffer,
    "adapter_config.json",
    { config: null },
    /lacks AdapterHub's "config"/,
  ],
  [
    "a flexible head",
    pfeiffer,
    "head_config.json",
    { model_class: "BertAdapterModel" },
    /head belongs to "BertAdapterModel"/,
  ],
  [
    "a label too few",
    pfeiffer,
    "head_config.json",
    { label2id: { a: 0, b: 1 } },
    /head_config\.json names 2 labels, but the classifier beside it has 5 classes/,
  ],
  ["a later format", output, "adapter_config.json", { format_version: 2 }, /"format_version" is 2/],
  ["no labels", output, "adapter_config.json", { labels: ["a"] }, /"labels" should be the names/],
  ["no size", output, "adapter_config.json", { size: "4" }, /"size" should be a positive/],
  [
    "another width",
    output,
    "adapter_config.json",
    { size: 5 },
    /is \[4, 32\] instead of \[5, 32\]/,
  ],
  ["a model without labels", { method: "full" }, "config.json", { id2label: null }, /"id2label"/],
];

for (const [what, method, file, fields, message] of refused) {
  folderTest(`a folder with ${what} is refused`, async (folder) => {
    await save(folder, requestOf(method, distinctWeights(method)));
    const path = join(folder, file);
    await Deno.writeTextFile(
      path,
      toJson({ ...await readJsonObject(hostFolder(folder), file), ...fields }),
    );
    await fails(readRun(folder, config), message);
  });
}

folderTest("an older AdapterHub config, with fewer fields, is read", async (folder) => {
  await save(folder, requestOf(pfeiffer, distinctWeights(pfeiffer)));
  const path = join(folder, "adapter_config.json");
  const fields = await readJsonObject(hostFolder(folder), "adapter_config.json");
  const older = {
    original_ln_before: true,
    mh_adapter: false,
    output_adapter: true,
    non_linearity: "relu",
    reduction_factor: 8,
    inv_adapter: null,
  };
  await Deno.writeTextFile(path, toJson({ ...fields, config: older }));
  assert.deepEqual((await readRun(folder, config)).method, pfeiffer);
});

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
