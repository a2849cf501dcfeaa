/** What the classes of a run are called, and which adapter of several is taken. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { labelsFor } from "../../cli/trained/labels.ts";
import { findRun } from "../../cli/trained/run.ts";
import { hostFolder } from "../../models/host/files.ts";
import { folderTest, golden, withFolder } from "../files/temporary.ts";
import { baseOf } from "../models/goldens.ts";
import { change, fails, labels } from "../peft/folders.ts";
import { runEvaluate, runPredict } from "./command.ts";

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };
const base = baseOf("lora");

/** A folder of several adapters of PEFT, as its `save_pretrained` lays them out. */
async function several(folder: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await Deno.mkdir(join(folder, name));
    for (const file of ["adapter_config.json", "adapter_model.safetensors"]) {
      await Deno.copyFile(golden("lora", "peft", file), join(folder, name, file));
    }
  }
}

folderTest(
  "labels are given with commas between them, or a line each in a file",
  async (folder) => {
    const namesOf = async (given: string, run: { labels?: string[] } = {}) =>
      (await labelsFor(run, hostFolder(folder), 3, given)).names;
    assert.deepEqual(await namesOf("joy, anger,fear"), ["joy", "anger", "fear"]);
    const file = join(folder, "labels.txt");
    await Deno.writeTextFile(file, "\uFEFFjoy, or mirth\r\nanger\r\nfear\r\n\r\n");
    assert.deepEqual(await namesOf(file), ["joy, or mirth", "anger", "fear"]);
    const wide = Uint16Array.from("\uFEFFja\nné\nnein", (unit) => unit.charCodeAt(0));
    await Deno.writeFile(file, new Uint8Array(wide.buffer));
    assert.deepEqual(await namesOf(file), ["ja", "né", "nein"]);
    await Deno.writeFile(file, Uint8Array.of(0x6a, 0xe9, 0x0a));
    await fails(
      namesOf(file),
      /labels\.txt is not UTF-8 text: see line 1\. .* Save it as UTF-8\.$/,
    );
    assert.deepEqual(await namesOf("a,b,c", { labels: ["x", "y", "z"] }), ["a", "b", "c"]);
  },
);

Deno.test("labels that cannot be the classifier's are refused, with the numbers", async () => {
  const refuses = (given: string, message: RegExp) =>
    fails(labelsFor({}, hostFolder("my-run"), 3, given), message);
  await refuses("joy,anger", /--labels names 2 classes \("joy", "anger"\), but .* my-run has 3\./);
  await refuses(
    "labels.txt",
    /--labels names 1 class \("labels\.txt"\).* or a file with one a line/,
  );
  await refuses("joy,joy,fear", /--labels holds "joy" twice/);
  await refuses("joy,,fear", /--labels holds an empty name/);
});

folderTest("labels come from the run.json beside the adapter, or above it", async (folder) => {
  await several(folder, "one");
  const find = () => findRun(join(folder, "one"), base, hub);
  const unknown = await find();
  assert.deepEqual(unknown.labels, [0, 1, 2, 3, 4].map((id) => `LABEL_${id}`));
  assert.match(
    unknown.model.notices.join(),
    /does not say what its 5 classes are called.*--labels/,
  );
  await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify({ labels }));
  const above = await find();
  assert.deepEqual(above.labels, labels);
  assert.deepEqual(above.model.notices, []);
  const others = ["a", "b", "c", "d", "e"];
  await Deno.writeTextFile(join(folder, "one", "run.json"), JSON.stringify({ labels: others }));
  assert.deepEqual((await find()).labels, others);
  await Deno.remove(join(folder, "one", "run.json"));
  await change(folder, "run.json", { labels: ["a"] });
  await fails(find(), /run\.json names 1 label, but the classifier in .* has 5/);
});

folderTest(
  "of several adapters in a folder one has to be named; one alone is taken",
  async (folder) => {
    await several(folder, "mornings");
    assert.equal((await findRun(folder, base, hub)).folder.name, join(folder, "mornings"));
    await several(folder, "evenings");
    await fails(
      findRun(folder, base, hub),
      /holds several runs: evenings, mornings\. Name one: --run .*evenings/,
    );
  },
);

folderTest("a base of another revision is not replaced by the latest", async (folder) => {
  await several(folder, "one");
  await change(join(folder, "one"), "adapter_config.json", { revision: "v2" });
  await fails(findRun(folder, undefined, hub), /"revision" is "v2"; of a base only the latest/);
  assert.equal((await findRun(folder, base, hub)).method.method, "lora");
});

Deno.test("predict and evaluate call the classes as --labels says", async () => {
  await withFolder(async (folder) => {
    const run = ["--run", golden("lora", "peft"), "--model_name", base, "--json"];
    const names = ["--labels", "a,b,c,d,e"];
    const predicted = await runPredict([...run, ...names, "happy"]);
    assert.equal(predicted.code, 0, predicted.stderr);
    assert.equal(predicted.stderr, "");
    const { probabilities } = JSON.parse(predicted.stdout);
    assert.deepEqual(Object.keys(probabilities).sort(), ["a", "b", "c", "d", "e"]);
    const file = join(folder, "rows.csv");
    await Deno.writeTextFile(file, "text,label\nhappy,b\nfeel,c\n");
    const data = ["--dataset", file, "--no_write"];
    const evaluated = await runEvaluate([...run, ...names, ...data]);
    assert.equal(evaluated.code, 0, evaluated.stderr);
    assert.equal(JSON.parse(evaluated.stdout).metrics.per_class[1].support, 1);
    const wrong = await runEvaluate([...run, "--labels", "a", ...data]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^Error: --labels names 1 class \("a"\)/);
  });
});
