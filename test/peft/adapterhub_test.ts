/** Adapter folders as AdapterHub's library writes and reads them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import type { Method } from "../../models/peft/methods.ts";
import { folderTest, golden, namesIn } from "../files/temporary.ts";
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
  refusedTest,
  requestOf,
  save,
} from "./folders.ts";

const pfeiffer: Method = { method: "adapter", size: 4, placement: "pfeiffer" };

const placements = ["pfeiffer", "houlsby", "parallel"] as const;
const runs = [
  ...["", "roberta-", "distilbert-"].flatMap((encoder) =>
    placements.map((placement) => ({ run: `${encoder}adapter-${placement}`, placement }))
  ),
  { run: "adapter-shared", placement: "shared" as const },
];

for (const { run, placement } of runs) {
  folderTest(
    `${run}: AdapterHub's folder is read and written as AdapterHub does`,
    async (folder) => {
      const theirs = golden(run, "adapterhub");
      const config = await configOf(run);
      const loaded = await readRun(theirs, config);
      const asRead = placement === "shared" ? "pfeiffer" : placement;
      assert.deepEqual(loaded.method, { method: "adapter", size: 8, placement: asRead });
      assert.deepEqual(loaded.labels, labels);
      const start = await goldenStart(run);
      if (placement !== "shared") assert.equal(loaded.weights.size, start.size);
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
      await save(folder, goldenRequest(run, config, method, weights));
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
  await save(folder, requestOf(pfeiffer, distinctWeights(pfeiffer)));
  await change(folder, "adapter_config.json", { placement: "shared" });
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
  await fails(readRun(folder, config), /is missing/);
  await change(folder, "adapter_config.json", { name: "my.mood" });
  assert.deepEqual(
    [...(await readRun(folder, config)).weights],
    [...(await readRun(theirs, config)).weights],
  );
});

folderTest("an older AdapterHub config, with fewer fields, is read", async (folder) => {
  await save(folder, requestOf(pfeiffer, distinctWeights(pfeiffer)));
  const older = {
    original_ln_before: true,
    mh_adapter: false,
    output_adapter: true,
    non_linearity: "relu",
    reduction_factor: 8,
    inv_adapter: null,
  };
  await change(folder, "adapter_config.json", { config: older });
  assert.deepEqual((await readRun(folder, config)).method, pfeiffer);
});

folderTest("the head of another encoder is refused", async (folder) => {
  const model = await configOf("roberta-full");
  const weights = distinctWeights(pfeiffer, model);
  await save(folder, goldenRequest("roberta-full", model, pfeiffer, weights));
  await fails(
    readRun(folder, config),
    /belongs to "RobertaForSequenceClassification"; only one of BertForSequenceClassification/,
  );
});

refusedTest([
  "another bottleneck",
  pfeiffer,
  "adapter_config.json",
  { config: { non_linearity: "gelu", output_adapter: true, original_ln_before: true } },
  /"non_linearity" is "gelu"/,
]);
refusedTest([
  "no bottleneck",
  pfeiffer,
  "adapter_config.json",
  { config: null },
  /lacks AdapterHub's "config"/,
]);
refusedTest([
  "a flexible head",
  pfeiffer,
  "head_config.json",
  { model_class: "BertAdapterModel" },
  /head belongs to "BertAdapterModel"/,
]);
refusedTest([
  "a label too few",
  pfeiffer,
  "head_config.json",
  { label2id: { a: 0, b: 1 } },
  /head_config\.json names 2 labels, but the classifier beside it has 5 classes/,
]);
