import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openWeights } from "../../models/encoders/weights.ts";
import { bertBaseUncased, declareModel } from "../../models/encoders/mod.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { UserError } from "../../models/errors.ts";
import { builtInFiles } from "../../models/host/built_in.ts";
import { filesBelow, hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { resolveConfig, resolveModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import {
  putFiles,
  tinyConfig as config,
  tinyVocabulary as vocabulary,
  withFakeHub,
  withoutHub,
} from "./fake_hub.ts";
import { withFolder } from "../files/temporary.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const noHub: HubSettings = { endpoint: "http://127.0.0.1:9", cacheFolder: "/none", offline: true };
const model = {
  "config.json": config,
  "vocab.txt": vocabulary,
  "tokenizer_config.json": "{}",
  "added_tokens.json": "{}",
  "model.safetensors": "weights",
};

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("mini is built in: config and vocabulary fit", async () => {
  const mini = await resolveModel("mini", noHub);
  const { name, folder, config, builtIn, notices } = mini;
  assert.equal(name, "mini");
  assert.deepEqual(notices, []);
  const { layers, hiddenSize, heads, intermediateSize, maxPositions } = config;
  assert.deepEqual([layers, hiddenSize, heads, intermediateSize, maxPositions], [
    4,
    128,
    4,
    512,
    512,
  ]);
  assert.equal(
    (await loadTokenizer(hostFolder(folder), config.vocabSize)).vocabSize,
    config.vocabSize,
  );
  assert.equal(builtIn, true);
  const weights = await openWeights(hostFolder(folder), config, 2);
  assert.deepEqual(weights.notes.map((note) => note.split(":")[0]), [
    "The checkpoint has no classifier",
  ]);
  weights.close();
});

Deno.test("the base that lies beside a run of mini is mini, and says where it comes from", async () => {
  const { folder, config } = await resolveModel("mini", noHub);
  const base = await Deno.makeTempDir();
  try {
    await writeFiles(base, await builtInFiles(folder));
    const [ours, theirs] = await Promise.all(
      [folder, base].map((path) => openWeights(hostFolder(path), config, 2)),
    );
    for (const spec of declareModel(config, 2).specs) {
      const values = await ours.read(spec);
      assert.equal(values === undefined, spec.role === "head", spec.name);
      assert.deepEqual(await theirs.read(spec), values, spec.name);
    }
    ours.close();
    theirs.close();
    const card = await Deno.readTextFile(join(base, "README.md"));
    for (const licence of ["Apache-2.0", "CC BY 4.0"]) assert.ok(card.includes(licence), licence);
    assert.equal((await loadTokenizer(hostFolder(base))).vocabSize, config.vocabSize);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});

Deno.test("what is built in stays small", async () => {
  const assets = fileURLToPath(new URL("../../assets", import.meta.url));
  let bytes = 0;
  for (const path of await filesBelow(assets)) bytes += (await Deno.stat(join(assets, path))).size;
  assert.ok(bytes < 8e6, `${bytes} bytes`);
});

Deno.test("the default is fetched once, only what is needed, then taken from the cache", async () => {
  const files = { ...model, "pytorch_model.bin": "pickle", "tf_model.h5": "tensorflow" };
  const hubFiles = { "models/google-bert/bert-base-uncased": { revision, files } };
  await withFakeHub(hubFiles, async (hub, settings) => {
    const first = await resolveModel(undefined, settings);
    assert.equal(first.name, "bert-base-uncased");
    assert.equal(first.builtIn, false);
    assert.equal(first.config.hiddenSize, 8);
    const names = [...Deno.readDirSync(first.folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, Object.keys(model).sort());
    const asked = hub.requests.length;
    for (const name of [undefined, "bert-base-uncased", "google-bert/bert-base-uncased"]) {
      const again = await resolveModel(name, { ...settings, offline: true });
      assert.equal(again.folder, first.folder);
    }
    assert.equal(hub.requests.length, asked);
  });
});

Deno.test("a model that Python cached under its old name is found", async () => {
  await withoutHub(async (settings) => {
    const folder = join(settings.cacheFolder, "models--bert-base-uncased");
    await putFiles(folder, { "refs/main": revision });
    await putFiles(join(folder, "snapshots", revision), model);
    assert.equal((await resolveModel(undefined, settings)).builtIn, false);
    await Deno.remove(join(folder, "snapshots", revision, "model.safetensors"));
    assert.equal((await resolveModel(undefined, settings)).name, "mini");
  });
});

Deno.test("mini stands in for the default only, and says so", async () => {
  await withoutHub(async (settings) => {
    const mini = await resolveModel(undefined, settings);
    assert.equal(mini.name, "mini");
    assert.equal(mini.notices.length, 1);
    assert.match(
      mini.notices[0],
      /^BUILT-IN MODEL "mini" INSTEAD OF bert-base-uncased: Cannot get/,
    );
    for (const name of ["bert-base-uncased", "org/name"]) {
      await rejects(
        resolveModel(name, settings),
        /Cannot get .* There is no folder .* either\.$/,
      );
    }
    await rejects(resolveModel("nonsense", settings), /no model "nonsense".*org\/name/);
    await rejects(resolveModel("../nowhere", settings), /no model "\.\.\/nowhere"/);
  });
  await withFakeHub({}, async (_hub, settings) => {
    await rejects(
      resolveModel(undefined, settings),
      /google-bert\/bert-base-uncased does not exist/,
    );
    await rejects(resolveModel("org/name", settings), /org\/name does not exist.*HF_TOKEN/);
  });
});

Deno.test("shards are fetched by their index", async () => {
  const { "model.safetensors": weights, ...rest } = model;
  const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } };
  const files = {
    ...rest,
    "model.safetensors.index.json": JSON.stringify(index),
    "model-1.safetensors": weights,
    "model-2.safetensors": weights,
    "model-3.safetensors": weights,
  };
  await withFakeHub({ "models/org/big": { revision, files } }, async (_hub, settings) => {
    const { folder } = await resolveModel("org/big", settings);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert(names.includes("model-1.safetensors") && names.includes("model-2.safetensors"));
    assert(!names.includes("model-3.safetensors"));
    const again = await resolveModel("org/big", { ...settings, offline: true });
    assert.equal(again.folder, folder);
    await Deno.remove(join(folder, "model-2.safetensors"));
    await rejects(resolveModel(folder, noHub), /has no model-2\.safetensors/);
  });
});

Deno.test("models of another kind are refused before their weights are fetched", async () => {
  const electra = config.replace('"bert"', '"electra"');
  const { "model.safetensors": _, ...old } = model;
  const repositories = {
    "models/org/electra": { revision, files: { ...model, "config.json": electra } },
    "models/org/japanese": {
      revision,
      files: { ...model, "tokenizer_config.json": '{"tokenizer_class": "BertJapaneseTokenizer"}' },
    },
    "models/org/adapter": { revision, files: { "adapter_config.json": "{}", "README.md": "" } },
    "models/org/old": { revision, files: { ...old, "pytorch_model.bin": "pickle" } },
  };
  await withFakeHub(repositories, async (hub, settings) => {
    await rejects(resolveModel("org/electra", settings), /"model_type" is "electra"/);
    await rejects(resolveModel("org/japanese", settings), /is "BertJapaneseTokenizer"/);
    for (const resolve of [resolveModel, resolveConfig]) {
      await rejects(
        resolve("org/adapter", settings),
        /^org\/adapter is an adapter, .*snapshot_download\("org\/adapter", local_dir="adapter"\)/,
      );
    }
    assert(!hub.requests.some((request) => request.includes("model.safetensors")));
    await rejects(resolveModel("org/old", settings), /pytorch_model\.bin only.*save_pretrained/);
  });
});

Deno.test("a folder is used as it is, or refused with what it lacks", () =>
  withFolder(async (folder) => {
    await rejects(resolveModel(folder, noHub), /has no config\.json/);
    await putFiles(folder, { "config.json": config });
    await rejects(resolveModel(folder, noHub), /neither tokenizer\.json nor vocab\.txt/);
    await putFiles(folder, { "vocab.txt": vocabulary });
    await rejects(resolveModel(folder, noHub), /has neither model\.safetensors nor/);
    await putFiles(folder, { "model.safetensors": "weights" });
    const { name, builtIn, notices } = await resolveModel(folder, noHub);
    assert.deepEqual({ name, builtIn, notices }, { name: folder, builtIn: false, notices: [] });
    await putFiles(folder, { "config.json": "{" });
    await rejects(resolveModel(folder, noHub), /config\.json is not JSON/);
  }));

Deno.test("a folder in a file's place, one of models, and one of an adapter are told", () =>
  withFolder(async (folder) => {
    await putFiles(join(folder, "b"), { "config.json": config });
    await putFiles(join(folder, "a"), { "adapter_config.json": "{}" });
    await rejects(
      resolveModel(folder, noHub),
      /has no config\.json; models or adapters lie in folders below it: a, b\. Name one of these/,
    );
    await rejects(resolveModel(join(folder, "a"), noHub), /\/a is an adapter, .* none by itself/);
    await Deno.mkdir(join(folder, "b", "vocab.txt"));
    await rejects(resolveModel(join(folder, "b"), noHub), /vocab\.txt is a folder, not a file/);
  }));

Deno.test("resolveConfig: the default needs no network, others only config.json", async () => {
  for (const name of [undefined, "bert-base-uncased", "google-bert/bert-base-uncased"]) {
    assert.equal((await resolveConfig(name, noHub)).config, bertBaseUncased);
  }
  assert.equal((await resolveConfig("mini", noHub)).config.hiddenSize, 128);
  await withFakeHub({ "models/org/tiny": { revision, files: model } }, async (hub, settings) => {
    assert.equal((await resolveConfig("org/tiny", settings)).config.hiddenSize, 8);
    assert(!hub.requests.some((request) => request.includes("model.safetensors")));
    const again = await resolveConfig("org/tiny", { ...settings, offline: true });
    assert.equal(again.config.hiddenSize, 8);
    // What --dry_run fetched is no whole model.
    await rejects(resolveModel("org/tiny", { ...settings, offline: true }), /HF_HUB_OFFLINE/);
    assert.equal((await resolveModel("org/tiny", settings)).builtIn, false);
  });
  await withoutHub(async (settings) => {
    await rejects(resolveConfig("org/tiny", settings), /Cannot get org\/tiny/);
  });
});
