/** What the page computes beside its views. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import { findRun } from "../../cli/trained/run.ts";
import { aboutRows, fileData, pastedData, pastedRows } from "../../web/lab/data.ts";
import { openRuns, zipOf } from "../../web/lab/files.ts";
import { type Base, baseFiles, readBase } from "../../web/lab/base.ts";
import { rankErrors, singularValues } from "../../web/lab/singular_values.ts";
import { compareKernels } from "../../web/lab/step_times.ts";
import { freeName, type Trained } from "../../web/lab/trained.ts";
import type { NamedTensors } from "../../models/files/run_file.ts";
import { type Method, methodParameters, methods } from "../../models/peft/methods.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { sizeOf } from "../../engine/shape.ts";
import { localModel } from "../../web/lab/local_model.ts";
import { folderTest } from "../files/temporary.ts";
import { putFiles } from "../models/fake_hub.ts";
import { binned } from "../../web/views/plot.ts";

Deno.test("pasted lines are cut at a tab, or at their last comma", () => {
  const text = `text,label\nI came, I saw,joy\r\n\n"Why, oh why",anger\nso\tgood, really\tjoy`;
  assert.deepEqual(pastedRows(text), [
    { text: "I came, I saw", label: "joy" },
    { text: "Why, oh why", label: "anger" },
    { text: "so\tgood, really", label: "joy" },
  ]);
  const csv = `"I said, ""no""","anger"\n"Why" she said "now",joy\nso,"joy, pure"\na 5" nail,"joy"`;
  assert.deepEqual(pastedRows(csv), [
    { text: 'I said, "no"', label: "anger" },
    { text: '"Why" she said "now"', label: "joy" },
    { text: "so", label: "joy, pure" },
    { text: 'a 5" nail', label: "joy" },
  ]);
  assert.throws(() => pastedRows("good, joy\nbad"), {
    message: 'Line 2 has no label: "bad". Write the sentence, a comma and its label.',
  });
});

Deno.test("pasted lines become a split data set, or a sentence on what is missing", async () => {
  const lines = [0, 1, 2, 3].flatMap((n) => [`good ${n}, joy`, `bad ${n}, anger`]);
  const { dataset, split } = await pastedData(lines.join("\n"));
  assert.deepEqual(dataset.labels, ["anger", "joy"]);
  assert.deepEqual([split.train.length, split.validation.length, split.test.length], [4, 2, 2]);
  await assert.rejects(pastedData("text,label\n"), {
    message: "There is no line to use. Write sentences, each with a comma and its label.",
  });
  await assert.rejects(pastedData("good, joy\nbetter, joy"), /has one class, "joy"/);
  await assert.rejects(pastedData("good, joy\nbad, anger"), /at least 3 rows/);
});

Deno.test("what was read of a file, and what was not, is told", async () => {
  const rows = [0, 1, 2, 3].flatMap((n) => [`t,good ${n},joy`, `t,bad ${n},anger`]);
  const more = ["t,lost,", "t,good 0,joy", "t,good 1,anger"];
  const file = new File([["title,text,label", ...rows, ...more].join("\n")], "mine.csv");
  assert.deepEqual(aboutRows((await fileData(file)).dataset), [
    'Texts are in the column "text", labels in "label"; not used: "title".',
    "1 empty and 1 duplicate rows dropped.",
    "1 text has more than one label.",
  ]);
  const { dataset } = await pastedData(rows.map((row) => row.slice(2)).join("\n"));
  assert.deepEqual(aboutRows(dataset), []);
});

Deno.test("singular values are those of known matrices, and tell what a rank misses", () => {
  const near = (found: number[], expected: number[]) =>
    found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${found}`));
  near(singularValues([3, 0, 0, 4], 2), [4, 3]);
  near(singularValues([1, 1, 0, 1], 2), [(1 + Math.sqrt(5)) / 2, (Math.sqrt(5) - 1) / 2]);
  const one = [2, 4, 6, 1, 2, 3]; // rank 1, [2, 3]
  near(singularValues(one, 3), [Math.sqrt(70), 0, 0]);
  near(rankErrors([4, 3]), [1, 0.6, 0]);
  near(rankErrors([0, 0]), [0, 0, 0]);
});

Deno.test("kernels of two steps are told side by side, the rest of them in one row", () => {
  const step = (run: string, times: Record<string, number>) => ({
    run,
    sentences: 1,
    tokens: 1,
    launches: 1,
    milliseconds: 1,
    tokensPerSecond: 1,
    kernels: Object.entries(times).map(([kernel, milliseconds]) => ({
      kernel,
      milliseconds,
      launches: 2,
    })),
  });
  const times = [
    step("full", { NT: 4, TN: 5, add: 1, gelu: 0.5 }),
    step("lora", { NT: 4, lora: 2 }),
  ];
  const rows = compareKernels(times, 2).map(({ kernel, shares }) => [
    kernel,
    ...shares.flatMap(({ milliseconds, launches }) => [milliseconds, launches]),
  ]);
  assert.deepEqual(rows, [["NT", 4, 2, 4, 2], ["TN", 5, 2, 0, 0], ["3 others", 1.5, 4, 2, 2]]);
  assert.equal(compareKernels(times, 4).length, 5, "a single other stands by its name");
});

Deno.test("a name that is taken gets a number; a curve of many points is binned", () => {
  assert.equal(freeName("lora-r8", ["full"]), "lora-r8");
  assert.equal(freeName("lora-r8", ["lora-r8", "lora-r8-2"]), "lora-r8-3");
  const points = Array.from({ length: 200 }, (_, i) => ({ x: i + 1, y: i % 2 }));
  const bins = binned(points);
  assert.ok(bins.length <= 90);
  assert.equal(bins.at(-1)!.x, 200);
});

async function readMini(about: Parameters<typeof readBase>[0] = builtIn) {
  const path = (name: string) =>
    fileURLToPath(new URL(`../../assets/mini/${name}`, import.meta.url));
  const files = baseFiles.map(async (name) =>
    [name, new Blob([await Deno.readFile(path(name))])] as const
  );
  return await readBase(about, new Map(await Promise.all(files)));
}

const builtIn = { name: "mini", origin: "built-in" } as const;

/** Trained weights of a method, all of one value. */
function trainedBy({ config }: Base, method: Method, labels: string[]): Trained {
  const weights: NamedTensors = new Map();
  for (const { name, shape, trainable } of methodParameters(config, method, labels.length)) {
    if (!trainable) continue;
    // A shared adapter is written for every layer, and read as one: all values are the same there.
    weights.set(name, { shape, data: new Float32Array(sizeOf(shape)).fill(0.5) });
  }
  return {
    name: method.method,
    method,
    labels,
    weights,
    trainableParameters: 1,
    maxLength: 77,
    origin: "a test",
  };
}

Deno.test("a run of each method goes into a zip and comes back as it was", async () => {
  const base = await readMini();
  const labels = ["anger", "joy", "neutral"];
  const all: Method[] = [
    loraDefaults(2),
    methods.adapter.plan({ size: [8] })[0],
    methods.ia3.plan({})[0],
    { method: "full" },
  ];
  for (const method of all) {
    const trained = trainedBy(base, method, labels);
    const zip = await zipOf(trained, base, []);
    const [opened, ...more] = await openRuns([new File([zip], "run.zip")], base);
    assert.deepEqual(more, [], "the base beside it is no run");
    assert.equal(opened.name, method.method);
    assert.deepEqual(opened.method, method);
    assert.deepEqual([opened.labels, opened.maxLength], [labels, 77]);
    assert.deepEqual(opened.weights, trained.weights);
  }
});

folderTest("a zip's run finds its base: beside it, or on the hub by name", async (folder) => {
  const method = loraDefaults(2);
  const unpacked = async (origin: Base["origin"]) => {
    const base = await readMini({ name: `org/${origin}`, origin });
    const zip = unzipSync(await zipOf(trainedBy(base, method, ["a", "b"]), base, []));
    for (const [name, content] of Object.entries(zip)) {
      await putFiles(join(folder, origin), { [name]: content });
    }
    return Object.keys(zip);
  };
  const hub = { endpoint: "http://127.0.0.1:9", cacheFolder: folder, offline: true };
  const files = await unpacked("files");
  assert.ok(files.includes("base/model.safetensors"));
  const run = await findRun(join(folder, "files", "lora"), undefined, hub);
  assert.equal(run.model.folder, join(folder, "files", "base"));
  assert.ok(!(await unpacked("hub")).some((name) => name.startsWith("base/")));
  const asked = findRun(join(folder, "hub", "lora"), undefined, hub);
  await assert.rejects(asked, /org\/hub is not in the cache/);
});

Deno.test("of chosen files the model is what lies beside the highest config.json", async () => {
  const path = (name: string) => new URL(`../../assets/mini/${name}`, import.meta.url);
  const chosen = async (name: string, at: string) => {
    const file = new File([await Deno.readFile(path(name))], name);
    Object.defineProperty(file, "webkitRelativePath", { value: at });
    return file;
  };
  const files = await Promise.all([
    ...baseFiles.map((name) => chosen(name, `models/mine/${name}`)),
    chosen("config.json", "models/mine/older/config.json"),
  ]);
  const base = await localModel(files);
  assert.deepEqual([base.name, base.origin], ["mine", "files"]);
  assert.deepEqual(await base.folder.list(), [...baseFiles].sort());
  const mini = await readMini();
  assert.equal(base.key, mini.key, "the same files are the same base");
  const other = files.map((file) => [file.name, file] as const).filter(([name]) =>
    name !== "README.md"
  );
  assert.notEqual((await readBase(builtIn, new Map(other))).key, mini.key);
  await assert.rejects(
    localModel([new File(["x"], "notes.txt")]),
    /no config\.json among notes\.txt/,
  );
  await assert.rejects(localModel([]), /no config\.json/);
});

Deno.test("files that hold no run are refused in a sentence", async () => {
  const base = await readMini();
  const refused = (name: string, content: string, expected: RegExp) =>
    assert.rejects(openRuns([new File([content], name)], base), { message: expected });
  await refused("a.zip", "no zip", /^a\.zip is no zip file, or a damaged one\.$/);
  await refused("notes.txt", "hello", /^There is no trained run in these files\. Choose a zip/);
  await refused("adapter_config.json", "{", /adapter_config\.json/);
});
