import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseTable } from "../../models/data/choose.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { defaultDataset } from "../../models/host/locate.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { putFiles, withFakeHub, withoutHub } from "../models/fake_hub.ts";
import { withFolder } from "../files/temporary.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const parquet = await Deno.readFile(
  fileURLToPath(new URL("fixtures/strings.parquet", import.meta.url)),
);
const csv = "text,label\nOne,joy\nTwo,fear\nThree,joy\n";
/** For what must not touch the hub. */
const noHub: HubSettings = { endpoint: "http://127.0.0.1:9", cacheFolder: "/none", offline: true };

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("the built-in sample: 13 classes of 100 sentences and more, none twice", async () => {
  const data = await loadDataset({ useSample: true, hub: noHub });
  assert.equal(data.name, "sample");
  assert.equal(data.sample, true);
  assert.deepEqual(
    data.labels,
    ("anger disappointment enthusiasm fear guilt joy love neutral optimism remorse sadness " +
      "surprise thankfulness").split(" "),
  );
  assert(data.examples.length >= 1300);
  for (const label of data.labels.keys()) {
    assert(data.examples.filter((example) => example.label === label).length >= 100);
  }
  const { rowsRead, emptyRows, duplicates, conflicts } = data;
  assert.deepEqual(
    { rowsRead, emptyRows, duplicates, conflicts },
    { rowsRead: data.examples.length, emptyRows: 0, duplicates: 0, conflicts: 0 },
  );
  const plain = data.examples.map(({ text }) => text.toLowerCase().replace(/[^a-z]/g, ""));
  assert.equal(new Set(plain).size, plain.length);
  assert.equal(stratifiedSplit(data, { seed: 42 }).test.length, 13 * 11);
});

Deno.test("a file, and a folder with one", () =>
  withFolder(async (folder) => {
    await putFiles(folder, { "data.csv": csv, "README.md": "about" });
    for (const dataset of [join(folder, "data.csv"), folder]) {
      const data = await loadDataset({ dataset, hub: noHub });
      assert.equal(data.name, dataset);
      assert.equal(data.sample, false);
      assert.deepEqual(data.labels, ["fear", "joy"]);
      assert.deepEqual(data.examples[1], { text: "Two", label: 0, row: 2 });
      assert.deepEqual([data.textColumn, data.labelColumn], ["text", "label"]);
    }
    await rejects(
      loadDataset({ dataset: folder, labelColumn: "mood", hub: noHub }),
      /no column "mood"; its columns are "text", "label"/,
    );
    await putFiles(folder, { "more.csv": csv });
    await rejects(
      loadDataset({ dataset: folder, hub: noHub }),
      /several data sets: data\.csv, more\.csv/,
    );
    await putFiles(folder, { "one.csv": "text,label\nOne,joy\n" });
    await rejects(
      loadDataset({ dataset: join(folder, "one.csv"), hub: noHub }),
      /one\.csv has one class, "joy"; a classifier needs at least two classes\.$/,
    );
    const missing = join(folder, "none.csv");
    await rejects(loadDataset({ dataset: missing, hub: noHub }), /no file or folder .*none\.csv/);
  }));

Deno.test("the default comes from the hub once, then from the cache", async () => {
  const files = { "README.md": "about", "emotions_dataset.parquet": parquet };
  await withFakeHub(
    { [`datasets/${defaultDataset}`]: { revision, files } },
    async (hub, settings) => {
      const first = await loadDataset({ hub: settings });
      assert.equal(first.name, defaultDataset);
      assert.equal(first.sample, false);
      assert.match(first.source, new RegExp(`${defaultDataset}@${revision}: emotions_dataset`));
      assert.deepEqual([first.textColumn, first.labelColumn], ["Sentence", "Label"]);
      assert.deepEqual(
        [first.rowsRead, first.emptyRows, first.duplicates, first.examples.length],
        [6, 1, 1, 4],
      );
      const asked = hub.requests.length;
      const second = await loadDataset({ hub: { ...settings, offline: true } });
      assert.deepEqual(second, first);
      assert.equal(hub.requests.length, asked);
    },
  );
});

Deno.test("the sample stands in for the default only, and says so", async () => {
  await withoutHub(async (settings) => {
    // A column of the data set that could not be had does not bother the sample.
    const data = await loadDataset({ textColumn: "Sentence", hub: settings });
    assert.equal(data.name, "sample");
    assert.equal(data.sample, true);
    assert.equal(data.notices.length, 1);
    assert.match(data.notices[0], new RegExp(`^BUILT-IN SAMPLE INSTEAD OF ${defaultDataset}`));
    await rejects(
      loadDataset({ dataset: defaultDataset, hub: settings }),
      /Cannot get boltuix.* no file or folder .* either\.$/,
    );
    await rejects(
      loadDataset({ dataset: "org/data", useSample: true, hub: settings }),
      /contradict/,
    );
  });
  // A hub that answers, but has no such data set, is another matter than no hub.
  await withFakeHub({}, async (_hub, settings) => {
    await rejects(loadDataset({ hub: settings }), /boltuix.* does not exist/);
  });
});

Deno.test("shards of a train split are one data set; one file of a repository can be named", async () => {
  const files = {
    "data/train-00001-of-00002.jsonl": '{"text": "Two", "label": "fear"}\n',
    "data/train-00000-of-00002.jsonl": '{"text": "One", "label": "joy"}\n',
    "data/test-00000-of-00001.jsonl": '{"text": "Three", "label": "joy"}\n',
    "extra/all.csv": csv,
  };
  await withFakeHub({ "datasets/org/data": { revision, files } }, async (_hub, settings) => {
    const offline = { ...settings, offline: true };
    const other = await loadDataset({ dataset: "org/data/extra/all.csv", hub: settings });
    assert.equal(other.examples.length, 3);
    // One cached file is not taken for the data set.
    await rejects(loadDataset({ dataset: "org/data", hub: offline }), /HF_HUB_OFFLINE/);
    for (const hub of [settings, offline]) {
      const data = await loadDataset({ dataset: "org/data", hub });
      assert.deepEqual(data.examples.map(({ text }) => text), ["One", "Two", "Three"]);
      assert.deepEqual(data.given, { train: 2, validation: 0, test: 1 });
      const alone = await loadDataset({ dataset: "org/data", splitBy: "ratio", hub });
      assert.deepEqual(alone.examples.map(({ text }) => text), ["One", "Two"]);
      assert.equal(alone.given, undefined);
    }
    // A folder of the repository is a data set of its own.
    const inner = await loadDataset({ dataset: "org/data/data", hub: settings });
    assert.deepEqual([inner.name, inner.given?.test], ["org/data/data", 1]);
    await rejects(
      loadDataset({ dataset: "org/data/none.csv", hub: settings }),
      /org\/data has no file none\.csv; it has /,
    );
  });
});

Deno.test("what Python cached is used where the hub cannot be reached", async () => {
  await withoutHub(async (settings) => {
    const folder = join(settings.cacheFolder, "datasets--boltuix--emotions-dataset");
    await putFiles(folder, { "refs/main": revision });
    await putFiles(join(folder, "snapshots", revision), { "emotions_dataset.parquet": parquet });
    assert.equal((await loadDataset({ hub: settings })).sample, false);
  });
});

Deno.test("which table of a repository is meant", () => {
  const choose = (...paths: string[]) => chooseTable(paths, "org/data").train;
  assert.deepEqual(choose("README.md", "emotions_dataset.parquet"), ["emotions_dataset.parquet"]);
  assert.deepEqual(choose("train.csv", "test.csv", "other.csv"), ["train.csv"]);
  assert.deepEqual(choose("a.csv", "a.parquet"), ["a.parquet"]);
  assert.deepEqual(
    choose("split/train-00000-of-00001.parquet", "split/test-00000-of-00001.parquet"),
    [
      "split/train-00000-of-00001.parquet",
    ],
  );
  assert.deepEqual(choose("a.csv", "train.jsonl"), ["train.jsonl"]);
  assert.throws(() => choose("README.md"), /holds no data file/);
  assert.throws(() => choose("test.csv"), /no training data, only test\.csv/);
  assert.throws(
    () => choose("a/train.csv", "b/train.csv"),
    (error) =>
      error instanceof UserError && /several data sets/.test(error.message) &&
      error.remedy?.kind === "chooseDataset" && error.remedy.example === "org/data/a",
  );
  assert.throws(
    () => choose("a/one.csv", "a/two.csv"),
    (error) =>
      error instanceof UserError && error.remedy?.kind === "chooseDataset" &&
      error.remedy.example === "org/data/a/one.csv",
  );
  assert.throws(() => choose("train-00000-of-00002.parquet"), /1 of 2 parts/);
});
