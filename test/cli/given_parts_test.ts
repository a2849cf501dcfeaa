/** Data that come with their parts, through the real command: trained, stopped and gone on with, evaluated, reported. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { putFiles } from "../models/fake_hub.ts";
import { withFolder } from "../files/temporary.ts";
import { runEvaluate, runProgram, runTrain, startProgram, until } from "./command.ts";

const readJson = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(...path)));

const things = "dog film song soup train letter sister neighbour".split(" ");
const moods: [string, string[]][] = [
  ["joy", ["made me smile", "was a delight"]],
  ["Joy", ["was lovely"]],
  ["fear", ["frightened me", "was a threat"]],
];

/** Rows of all labels, one for each thing. */
const table = (who: string, from: number, to: number) =>
  ["text,label"].concat(
    things.slice(from, to).flatMap((thing) =>
      moods.flatMap(([label, ends]) => ends.map((end) => `${who} ${thing} ${end},${label}`))
    ),
  ).join("\n");

Deno.test("a run on given parts is gone on with and evaluated on the very same rows", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "mine");
    await putFiles(data, {
      "data/train-00000-of-00002.csv": table("my", 0, 4),
      "data/train-00001-of-00002.csv": table("my", 4, 8),
      "data/test-00000-of-00001.csv": `${table("your", 0, 3)}\nmy dog was lovely,joy\n`,
      "README.md": "# Mine",
    });
    const args = [
      ...["--dataset", data, "--model_name", "mini", "--method", "lora", "--rank", "4"],
      ...["--label_case", "fold", "--max_steps", "80", "--batch_size", "2", "--no_tune"],
      ...["--output_dir", folder, "--experiment", "e", "--checkpoint_steps", "8"],
    ];
    const command = ["run", "-q", "--no-check", "-P=commands", "--no-prompt", "cli/train.ts"];
    const env = { NO_COLOR: "1", HF_HUB_OFFLINE: "1" };
    const started = startProgram(Deno.execPath(), [...command, ...args], { env });
    const work = join(folder, "e", "checkpoints", "lora-r4");
    await until(async () => {
      const entries = await Array.fromAsync(Deno.readDir(work)).catch(() => []);
      return entries.some(({ name }) => name.startsWith("step-"));
    });
    started.process.kill("SIGINT");
    const stopped = await started.ended();
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(
      stopped.stdout.replace(/\s+/g, " "),
      /Split 36 train, 4 validation \(a tenth of the training data\), 16 test \(given\) \(seed 42\)/,
    );
    const notices = stopped.stderr.replace(/[!\s]+/g, " ");
    assert.match(notices, /"joy" \(23 rows\) and "Joy" \(11 rows\)\. Each group is one class/);
    assert.match(notices, /1 of 16 test rows has a text that training sees too/);

    // A part that has changed is told before anything is trained.
    const test = join(data, "data", "test-00000-of-00001.csv");
    const text = await Deno.readTextFile(test);
    await Deno.writeTextFile(test, `${text}her soup was a threat,fear\n`);
    const changed = await runTrain(["--resume", join(folder, "e")]);
    assert.equal(changed.code, 1);
    assert.match(changed.stderr, /cannot go on: the rows of .*mine have changed/);
    await Deno.writeTextFile(test, text);

    const resumed = await runTrain(["--resume", join(folder, "e")]);
    assert.equal(resumed.code, 0, resumed.stderr);
    const run = join(folder, "e", "lora-r4");
    const { dataset, labels, test: tested } = await readJson(run, "run.json");
    assert.deepEqual(labels, ["fear", "joy"]);
    assert.deepEqual([dataset.label_case, dataset.split], [
      "fold",
      { train: 36, validation: 4, test: 16, seed: 42, by: "given", given: ["test"] },
    ]);
    const predicted = (await Deno.readTextFile(join(run, "predictions.jsonl"))).trim().split("\n");
    assert.ok(predicted.slice(0, -1).every((line) => line.includes('"text":"your ')), predicted[0]);

    for (const asked of [[], ["--dataset", data]]) {
      const { code, stdout, stderr } = await runEvaluate(["--run", run, "--json", ...asked]);
      assert.equal(code, 0, stderr);
      const { metrics, split, dataset: { as_trained } } = JSON.parse(stdout);
      assert.deepEqual([split, as_trained], ["test", true]);
      assert.deepEqual(metrics, tested);
    }
    const validation = await runEvaluate(["--run", run, "--split", "validation", "--no_write"]);
    assert.match(validation.stdout, /\nCount +4\n/);

    const report = [...command.slice(0, 3), "-P=report", "--no-prompt", "cli/report.ts"];
    const made = await runProgram(Deno.execPath(), [...report, join(folder, "e")], { env });
    assert.equal(made.code, 0, made.stderr);
    const page = await Deno.readTextFile(join(folder, "e", "comparison.html"));
    assert.match(page, /36 training, 4 validation and 16 test sentences/);
    assert.match(page, /--label_case fold/);

    // Other data that have a test part are measured on that, whole, in whatever case their labels are.
    const other = join(folder, "other");
    await putFiles(other, {
      "train.csv": table("his", 0, 2),
      "test.csv": table("her", 2, 3).replaceAll(/,joy/gi, ",JOY"),
    });
    const elsewhere = await runEvaluate(["--run", run, "--dataset", other, "--json", "--no_write"]);
    assert.equal(elsewhere.code, 0, elsewhere.stderr);
    const { metrics, split } = JSON.parse(elsewhere.stdout);
    assert.deepEqual([metrics.count, split], [5, "test"]);
  });
});

Deno.test("labels that look alike are told of, with the flag that makes them one", () =>
  withFolder(async (folder) => {
    const dataset = join(folder, "moods.csv");
    await Deno.writeTextFile(dataset, table("my", 0, 8));
    const args = ["--dataset", dataset, "--model_name", "mini", "--max_steps", "1", "--no_tune"];
    const where = ["--method", "lora", "--rank", "4", "--output_dir", folder];
    const { code, stdout, stderr } = await runTrain([...args, ...where]);
    assert.equal(code, 0, stderr);
    assert.match(
      stderr.replace(/[!\s]+/g, " "),
      /"joy" \(16 rows\) and "Joy" \(8 rows\)\..*--label_case fold/,
    );
    assert.match(stdout, /40 examples of 3 classes/);
    assert.match(stdout, /Columns +texts from "text", labels from "label"\n/);
    assert.match(stdout, / parameters train .*, 1 step\n/);
  }));
