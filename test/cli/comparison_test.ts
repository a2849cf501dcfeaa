/** What of an experiment can be compared, by what, and with what. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { addBaselines } from "../../cli/train/comparing/comparison.ts";
import { writeComparison } from "../../cli/train/comparing/comparison_files.ts";
import { withFolder } from "../files/temporary.ts";
import { experiment, readJson } from "./experiment.ts";
import type { FakeOptions } from "./fake_tools.ts";

Deno.test("the comparison goes by method, then by what trains, then by name", () =>
  withFolder(async (folder) => {
    const of = (...args: string[]) => experiment(folder, ["--experiment", "e", ...args]);
    await of("--method", "ia3");
    await of("--method", "adapter", "--size", "8,4", "--adapter_placement", "output");
    await of("--method", "adapter", "--size", "4", "--adapter_placement", "houlsby");
    await of("--method", "adapter", "--size", "4"); // of one layer: as many parameters as output's
    await of("--method", "lora", "--rank", "2,1", "--use_dora");
    await of("--method", "lora", "--rank", "2,1");
    const { comparison } = await of("--method", "full");
    assert.deepEqual(comparison.runs.map(({ run }) => run), [
      "full",
      "lora-r1",
      "lora-r1-dora",
      "lora-r2",
      "lora-r2-dora",
      "adapter-4",
      "adapter-4-output",
      "adapter-8-output",
      "adapter-4-houlsby",
      "ia3",
    ]);
    assert.deepEqual(comparison.leftOut, []);
  }));

Deno.test("an experiment grows, and compares only what can be compared", () =>
  withFolder(async (folder) => {
    const named = (...args: string[]) => ["--experiment", "e", ...args];
    await experiment(folder, named("--method", "full"));
    const older = await readJson(folder, "e", "full", "run.json");
    delete older.hyperparameters.frozen_dtype; // as runs were before there was a choice
    delete older.hyperparameters.matmul_precision;
    delete older.hyperparameters.compute_dtype;
    delete older.hyperparameters.lr_scheduler;
    await Deno.writeTextFile(join(folder, "e", "full", "run.json"), JSON.stringify(older));
    await experiment(folder, named("--method", "adapter", "--size", "4", "--num_epochs", "3"));
    await experiment(folder, named("--method", "adapter", "--size", "8"), { hash: "4567" });
    const summed = ["--gradient_accumulation_steps", "2"];
    await experiment(folder, named("--method", "adapter", "--size", "16", ...summed));
    await experiment(folder, named("--method", "lora", "--rank", "1", "--frozen_dtype", "bf16"));
    const packed = ["--compute_dtype", "f16", "--frozen_dtype", "f32"];
    await experiment(folder, named("--method", "adapter", "--size", "24", ...packed));
    const halved = ["--matmul_precision", "f16"];
    const precisions: FakeOptions["precisions"] = [];
    await experiment(folder, named("--method", "adapter", "--size", "32", ...halved), {
      precisions,
    });
    assert.deepEqual(precisions, ["f16"]);
    const cosine = ["--lr_scheduler", "cosine", "--warmup_ratio", "0.1"];
    await experiment(folder, named("--method", "adapter", "--size", "64", ...cosine));
    const weights = join(folder, "weights.json");
    for (
      const [size, content] of [["80", `{"joy": 2, "anger": 1}`], ["96", `{"anger": 1, "joy": 2}`]]
    ) {
      await Deno.writeTextFile(weights, content);
      const weighed = ["--class_weights", weights, "--label_smoothing", "0.1"];
      await experiment(folder, named("--method", "adapter", "--size", size, ...weighed));
    }
    const { hyperparameters } = await readJson(folder, "e", "adapter-80", "run.json");
    assert.deepEqual(hyperparameters.class_weights, { anger: 1, joy: 2 });
    const steps = ["--max_steps", "9", "--eval_steps", "3", "--early_stopping_patience", "2"];
    await experiment(folder, named("--method", "adapter", "--size", "112", ...steps));
    const args = named("--method", "lora", "--rank", "2", "--learning_rate", "5e-4");
    const { comparison } = await experiment(folder, [...args, "--gradient_checkpointing"]);
    assert.deepEqual(comparison.runs.map((run) => run.run), ["full", "lora-r2"]);
    assert.deepEqual(comparison.leftOut, [
      { run: "lora-r1", reason: "frozen_dtype bf16" },
      { run: "adapter-4", reason: "num_epochs 3" },
      { run: "adapter-8", reason: "data set boltuix/emotions-dataset" },
      { run: "adapter-16", reason: "gradient_accumulation_steps 2" },
      { run: "adapter-24", reason: "compute_dtype f16" },
      { run: "adapter-32", reason: "matmul_precision f16" },
      { run: "adapter-64", reason: "lr_scheduler cosine, no warmup_steps, warmup_ratio 0.1" },
      ...["80", "96"].map((size) => ({
        run: `adapter-${size}`,
        reason: `class_weights {"anger":1,"joy":2}, label_smoothing 0.1`,
      })),
      {
        run: "adapter-112",
        reason: "no num_epochs, max_steps 9, eval_steps 3, early_stopping_patience 2",
      },
    ]);
    // Of one content, in whatever order, class weights are the same.
    const again = ["--class_weights", weights, "--label_smoothing", "0.1", "--overwrite"];
    const weighed = await experiment(
      folder,
      named("--method", "adapter", "--size", "96", ...again),
    );
    assert.deepEqual(weighed.comparison.runs.map(({ run }) => run), ["adapter-80", "adapter-96"]);
    const { reason } = weighed.comparison.leftOut.find(({ run }) => run === "full")!;
    assert.equal(reason, "no class_weights, no label_smoothing");
    assert.deepEqual(comparison.notes, [
      "Learning rates: Full 2e-5, LoRA 5e-4.",
      "Times of lora-r2 are with gradient checkpointing, which takes longer.",
      "Best by accuracy is lora-r2; full is not told apart from it by 4 rows.",
    ]);
    const { gradient_checkpointing } = await readJson(folder, "e", "lora-r2", "run.json");
    assert.equal(gradient_checkpointing, true);
  }));

Deno.test("--baselines adds bags of words, trained once for the same rows", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method"];
    const { comparison, out } = await experiment(folder, [...args, "full", "--baselines"]);
    assert.match(out, /\nTraining the baselines: bags of words and of characters\n/);
    assert.deepEqual(comparison.baselines.map(({ name }) => name), [
      "majority",
      "bag-of-words",
      "bag-of-characters",
    ]);
    const kept = join(folder, "e", "baselines.json");
    const { mtime } = await Deno.stat(kept);
    const again = await experiment(folder, [...args, "lora", "--rank", "4", "--baselines"]);
    assert.equal(again.comparison.baselines.length, 3);
    assert.doesNotMatch(again.out, /Training the baselines/);
    assert.deepEqual((await Deno.stat(kept)).mtime, mtime);
    const csv = await Deno.readTextFile(join(folder, "e", "comparison.csv"));
    assert.match(
      csv,
      /\nMajority class,anger,.*\nBag of words,tf-idf,.*\nBag of pieces,tf-idf,/,
    );
    const other = await experiment(folder, [...args, "lora", "--rank", "8", "--seed", "7"]);
    assert.equal(other.comparison.baselines.length, 1, "another split's");
  }));

Deno.test("a method that is no better than the majority class is named", () =>
  withFolder(async (folder) => {
    const { comparison } = await experiment(folder, ["--experiment", "e", "--method", "full"]);
    assert.deepEqual(comparison.notes.filter((note) => note.startsWith("No better")), []);
    addBaselines(comparison, [{ ...comparison.baselines[0], accuracy: 0.9 }]);
    assert.equal(
      comparison.notes.at(-1),
      'No better than always answering "anger" (accuracy 0.9000): full.',
    );
  }));

Deno.test("a run whose answers are not there is compared by no pair, and that is told", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method"];
    await experiment(folder, [...args, "full"]);
    await experiment(folder, [...args, "lora", "--rank", "4,8"]);
    const answers = join(folder, "e", "lora-r4", "predictions.jsonl");
    const text = await Deno.readTextFile(answers);
    const damages: [string, string | undefined][] = [
      ["without the file", undefined],
      ["cut short", text.slice(0, text.length / 2)],
      ["a label that is none", text.replace(/"predicted":"\w+"/, '"predicted":"envy"')],
      ["other rows", text.split("\n").reverse().join("\n")],
    ];
    for (const [damage, content] of damages) {
      if (content === undefined) await Deno.remove(answers);
      else await Deno.writeTextFile(answers, content);
      const { pairs, notes, rows } = await writeComparison(join(folder, "e"), "full");
      assert.deepEqual(pairs.map(({ first, second }) => [first, second].sort()), [
        ["full", "lora-r8"],
      ], damage);
      assert.deepEqual(notes, [
        "Not compared by pairs, since no predictions.jsonl of the same rows is there: lora-r4.",
      ], damage);
      assert.deepEqual(rows.map(({ macroF1Interval }) => macroF1Interval !== undefined), [
        true,
        false,
        true,
      ], damage);
    }
  }));

Deno.test("a seed that was trained at another rate joins no row of the others", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full", "--seeds"];
    await experiment(folder, [...args, "1,2"]);
    const { comparison } = await experiment(folder, [...args, "3", "--learning_rate", "5e-4"]);
    assert.deepEqual(comparison.rows.map(({ runs }) => runs.map(({ run }) => run)), [
      ["full-s3"],
    ]);
    assert.deepEqual(comparison.leftOut.map(({ reason }) => reason), [
      "learning_rate 2e-5, and full-s3 5e-4",
      "learning_rate 2e-5, and full-s3 5e-4",
    ]);
  }));
