/** `deno task evaluate`: a run's figures are, to the last digit, those that its training wrote. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { adviceForEvaluation } from "../../cli/shared/advice.ts";
import { parseEvaluateFlags } from "../../cli/evaluate/flags.ts";
import { evaluatedRows } from "../../cli/evaluate/rows.ts";
import { findRun } from "../../cli/trained/run.ts";
import { OutOfMemoryError } from "../../engine/errors.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { golden, withFolder } from "../files/temporary.ts";
import { fails } from "../peft/folders.ts";
import { runEvaluate, runTrain } from "./command.ts";

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };

const readJson = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(...path)));

Deno.test("runs that were trained just now, from the shell", async (test) => {
  await withFolder(async (folder) => {
    const maxSamples = 150;
    const shared = ["--output_dir", folder, "--experiment", "tried", "--no_tune", "--seed", "7"];
    const model = ["--model_name", "mini", "--max_samples", `${maxSamples}`];
    const steps = ["--num_epochs", "2", "--warmup_steps", "0", "--learning_rate", "2e-3"];
    const sample = await loadDataset({ useSample: true, hub });
    const lineOf = (words: string, mood: string) => JSON.stringify({ words, mood, by: "André" });
    const lines = sample.examples.map(({ text, label }) => lineOf(text, sample.labels[label]));
    // Columns that would not be found by name, in an encoding that is not told by bytes: only run.json knows them.
    const own = join(folder, "own.jsonl");
    const inLatin1 = Uint8Array.from(lines.join("\n"), (letter) => letter.charCodeAt(0));
    await Deno.writeFile(own, inLatin1);
    const columns = ["--text_column", "words", "--label_column", "mood"];
    const ownData = ["--dataset", own, ...columns, "--encoding", "latin1"];
    const runs: [string, string[]][] = [
      ["full", ["--method", "full", "--use_sample"]],
      ["lora-r8", ["--method", "lora", "--rank", "8", "--frozen_dtype", "bf16", ...ownData]],
      [
        "adapter-16",
        [
          ...["--method", "adapter", "--size", "16", "--max_length", "9", ...ownData],
          ...["--compute_dtype", "f16"],
        ],
      ],
    ];
    for (const [name, flags] of runs) {
      await test.step(`${name}: test and validation are run.json's`, async () => {
        const trained = await runTrain([...shared, ...model, ...steps, ...flags]);
        assert.equal(trained.code, 0, trained.stderr);
        const run = join(folder, "tried", name);
        const recorded = await readJson(run, "run.json");
        const dtype = recorded.hyperparameters.compute_dtype;
        const named = ["--run", run, "--json", "--compute_dtype", dtype];
        const { code, stdout, stderr } = await runEvaluate(named);
        assert.equal(code, 0, stderr);
        const report = JSON.parse(stdout);
        assert.equal(report.compute_dtype, dtype);
        assert.deepEqual(report.metrics, recorded.test);
        assert.deepEqual(await readJson(run, "evaluation.json"), report);
        assert.equal(report.split, "test");
        assert.equal(report.dataset.hash, recorded.dataset.hash);
        assert.equal(report.dataset.as_trained, true);
        assert.deepEqual(
          [report.max_length, report.batch_size],
          [recorded.hyperparameters.max_length, recorded.hyperparameters.batch_size],
        );
        const asked = [...named, "--no_write", "--split", "validation"];
        const validation = await runEvaluate(asked);
        assert.equal(validation.code, 0, validation.stderr);
        const best = recorded.validation[recorded.best_epoch - 1];
        assert.deepEqual(JSON.parse(validation.stdout).metrics, best);
        assert.deepEqual(await readJson(run, "evaluation.json"), report, "--no_write");
      });
    }
    const run = join(folder, "tried", "lora-r8");
    const recorded = await readJson(run, "run.json");

    await test.step("other data are evaluated whole, and labels matched by name", async () => {
      const kept = sample.labels.slice(-2).toReversed();
      const rows = stratifiedSplit(sample, { seed: 7, maxSamples }).test
        .filter(({ label }) => kept.includes(sample.labels[label]));
      const file = join(folder, "other.jsonl");
      const text = rows.map(({ text, label }) => lineOf(text, sample.labels[label])).join("\n");
      await Deno.writeTextFile(file, text);
      const args = ["--run", run, "--dataset", file, ...columns];
      const { code, stdout, stderr } = await runEvaluate([...args, "--json"]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^No row has ".*": counted as 0 in the macro averages\.\n$/);
      const { metrics, split, dataset } = JSON.parse(stdout);
      assert.deepEqual([split, dataset.as_trained], ["all", false]);
      assert.equal(metrics.count, rows.length);
      // The same texts as in the test part, so the same predictions.
      for (const [id, row] of metrics.confusion_matrix.entries()) {
        const trained = recorded.test.confusion_matrix[id];
        const held = kept.includes(sample.labels[id]);
        assert.deepEqual(row, held ? trained : trained.map(() => 0));
      }
    });

    await test.step("all takes every row, in tables", async () => {
      const args = ["--run", run, "--split", "all", "--no_write"];
      const { code, stdout, stderr } = await runEvaluate(args);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\nData +\S+own\.jsonl, all rows, those of its training included\n/);
      const count = sample.examples.length.toLocaleString("en-US");
      assert.ok(stdout.includes(`\nCount            ${count}\n`), stdout);
      assert.match(stdout, /\nAccuracy +0\.\d{4} \(95 % interval: 0\.\d{4} to 0\.\d{4}\)\n/);
      const [, table] = stdout.split("\n\n");
      assert.match(table, /^Class +Precision +Recall +F1 +Support\n─/);
      assert.equal(table.trimEnd().split("\n").length, 2 + sample.labels.length);
    });

    await test.step("the run's data under another name are split as they were", async () => {
      const found = await findRun(run, undefined, hub);
      const moved = join(folder, "moved.jsonl");
      await Deno.copyFile(own, moved);
      const encoding = "windows-1252";
      const asked = { dataset: moved, textColumn: "words", labelColumn: "mood", encoding };
      const rows = await evaluatedRows(found, asked, hub);
      assert.deepEqual([rows.part, rows.sameData], ["test", true]);
      assert.deepEqual(rows.examples, stratifiedSplit(sample, { seed: 7, maxSamples }).test);
    });

    await test.step("labels that the run does not know are named", async () => {
      const file = join(folder, "unknown.jsonl");
      const rows = [lineOf("so it goes", "resignation"), lineOf("oh", sample.labels[0])];
      await Deno.writeTextFile(file, rows.join("\n"));
      const args = ["--run", run, "--dataset", file, ...columns];
      const { code, stdout, stderr } = await runEvaluate(args);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^Error: .* the run does not know: "resignation"\. It knows "/);
    });

    await test.step("data that changed since are told of", async () => {
      await Deno.writeTextFile(own, lines.slice(1).join("\n"));
      const { code, stderr } = await runEvaluate(["--run", run, "--no_write"]);
      assert.equal(code, 0, stderr);
      const words = stderr.replace(/[!\s]+/g, " ");
      assert.match(words, /own\.jsonl has changed since .*\. The figures are of other rows\./);
      assert.ok(words.includes(recorded.dataset.hash), words);
    });

    await test.step("figures that cannot be kept are printed, and the path is told", async () => {
      const full = join(folder, "tried", "full");
      const path = join(full, "evaluation.json");
      await Deno.remove(path);
      await Deno.mkdir(path);
      const { code, stdout, stderr } = await runEvaluate(["--run", full, "--json"]);
      assert.equal(code, 1);
      assert.deepEqual(JSON.parse(stdout).metrics, (await readJson(full, "run.json")).test);
      const said =
        `Error: Cannot write ${path}: it is a folder. With --no_write nothing is written.`;
      assert.equal(stderr.trim().split("\n").at(-1), said);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
    });
  });
});

Deno.test("wrong use ends with exit code 2, what is not there with 1", async () => {
  const peft = ["--run", golden("lora", "peft"), "--model_name", golden("model")];
  const cases: [string[], number, RegExp][] = [
    [[], 2, /^Error: Say which run with --run FOLDER\. See deno task evaluate --help\.\n$/],
    [["--run", "nowhere"], 1, /^Error: There is no folder nowhere\.\n$/],
    [["--run", "x", "--split", "dev"], 2, /evaluate --help\.\n$/],
    [peft, 2, /^Error: No run\.json tells which data .* --dataset\.\n$/],
    [[...peft, "--use_sample", "--dataset", "x"], 2, /contradict each other/],
    [[...peft, "--dataset", "nowhere.csv"], 1, /--use_sample/],
    [[...peft, "--max_length", "9999"], 2, /--max_length 9999 is more than the model's/],
  ];
  for (const [args, exitCode, message] of cases) {
    const { code, stdout, stderr } = await runEvaluate(args);
    assert.match(stderr, message);
    assert.equal(code, exitCode, stderr);
    assert.equal(stdout, "");
  }
});

Deno.test("without a run.json there is no split of the run's", async () => {
  const found = await findRun(golden("lora", "peft"), golden("model"), hub);
  const sample = await loadDataset({ useSample: true, hub });
  const run = { ...found, labels: sample.labels.toReversed() };
  const split = evaluatedRows(run, { useSample: true, split: "test" }, hub);
  await fails(split, /No run\.json tells the seed .* --split all/);
  const { part, examples } = await evaluatedRows(run, { useSample: true }, hub);
  assert.equal(part, "all");
  const name = (labels: string[]) => ({ label }: { label: number }) => labels[label];
  assert.deepEqual(examples.map(name(run.labels)), sample.examples.map(name(sample.labels)));
});

Deno.test("help fits 80 columns, and advice names flags that exist", () => {
  const help = parseEvaluateFlags(["--help"]);
  assert.ok(help.kind === "help");
  for (const line of help.text.split("\n")) assert.ok(line.length <= 80, line);
  for (
    const error of [
      new UserError("No model.", { remedy: { kind: "otherModel" } }),
      new UserError("No column.", { remedy: { kind: "nameColumn", column: "label" } }),
      new UserError("No data.", { remedy: { kind: "otherDataset" } }),
      new UserError("Several.", { remedy: { kind: "chooseDataset", example: "a.csv" } }),
      new UserError("No rows.", { remedy: { kind: "otherColumns" } }),
      new OutOfMemoryError({ bytes: 1, held: 0, purpose: "logits", use: "batch" }),
    ]
  ) {
    const flags = adviceForEvaluation(error)?.match(/--\w+/g) ?? [];
    assert.ok(flags.length > 0, error.message);
    for (const flag of flags) assert.ok(help.text.includes(flag), flag);
  }
  const moreSamples = { kind: "moreSamples", least: 6 } as const;
  assert.equal(adviceForEvaluation(new UserError("Few.", { remedy: moreSamples })), undefined);
});
