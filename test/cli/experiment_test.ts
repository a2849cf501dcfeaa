import assert from "node:assert/strict";
import { join } from "node:path";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { methods } from "../../models/peft/methods.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { experiment, readJson, tree } from "./experiment.ts";
import type { FakeOptions } from "./fake_tools.ts";

Deno.test("seven runs, one seed and one split, are saved and compared", () =>
  withFolder(async (folder) => {
    const seen: FakeOptions["seen"] = [];
    const result = await experiment(folder, [], { seen });
    assert.equal(result.folder, join(folder, "001-bert-base-uncased-emotions"));
    assert.equal(seen.length, 7);
    for (const run of seen) {
      assert.deepEqual({ ...run, run: "" }, { ...seen[0], run: "" });
    }
    assert.deepEqual(
      await namesIn(result.folder),
      [
        "adapter-128",
        "adapter-256",
        "adapter-64",
        "comparison.csv",
        "comparison.html",
        "comparison.json",
        "comparison.md",
        "comparison.tex",
        "full",
        "logs",
        "lora-r16",
        "lora-r4",
        "lora-r8",
      ],
    );
    assert.deepEqual(await tree(join(result.folder, "lora-r8")), [
      "predictions.jsonl",
      "run.json",
      "steps.jsonl",
      "weights",
    ]);
    const { rows } = await readJson(result.folder, "comparison.json");
    assert.deepEqual(rows.map((row: { run: string }) => row.run), [
      "full",
      "lora-r4",
      "lora-r8",
      "lora-r16",
      "adapter-64",
      "adapter-128",
      "adapter-256",
    ]);
    const csv = (await Deno.readTextFile(join(result.folder, "comparison.csv"))).split("\n");
    assert.equal(
      csv[0],
      "Method,Config,Accuracy,F1 Score,Trainable Params,Param %,Training Time",
    );
    assert.equal(csv.length, 10);
    assert.equal(csv[8], "Majority class,anger,0.5,0.3333333333333333,0,,0");
    assert.match(csv[3], /^LoRA,r=8,0\.75,0\.733\d+,274,[\d.]+,12\.5$/);
    const markdown = await Deno.readTextFile(join(result.folder, "comparison.md"));
    assert.ok(markdown.includes(
      "| Method | Config | Accuracy | F1 Score | Trainable Params | Param % | Training Time |",
    ));
  }));

Deno.test("run.json says everything about a run", () =>
  withFolder(async (folder) => {
    const args = ["--method", "lora", "--rank", "8", "--lora_alpha", "8", "--experiment", "e"];
    await experiment(folder, args, { notice: "MINI STANDS IN" });
    const run = await readJson(folder, "e", "lora-r8-a8", "run.json");
    const settings = { rank: 8, lora_alpha: 8, lora_dropout: 0.1 };
    assert.deepEqual({ ...run.settings, ...settings }, run.settings);
    assert.deepEqual(run.notices, ["MINI STANDS IN", "A TOKEN HAS ANOTHER ID"]);
    assert.deepEqual(run.hyperparameters, {
      learning_rate: 2e-5,
      batch_size: 16,
      gradient_accumulation_steps: 1,
      num_epochs: 5,
      lr_scheduler: "linear",
      warmup_steps: 100,
      weight_decay: 0.01,
      max_length: 64,
      max_grad_norm: 1,
      seed: 42,
      frozen_dtype: "f32",
      matmul_precision: "f32",
      compute_dtype: "f32",
    });
    assert.equal(run.gradient_checkpointing, false);
    assert.deepEqual(run.labels, ["anger", "joy"]);
    assert.equal(run.dataset.hash, "0123");
    assert.equal(run.dataset.rows_read, 43);
    const split = { train: 32, validation: 4, test: 4, seed: 42, by: "ratio" };
    assert.deepEqual(run.dataset.split, split);
    assert.equal(run.trainable_bytes, 4 * run.trainable_params);
    assert.equal(run.exported_bytes, 4);
    assert.equal(run.accuracy_per_million, 0.75 / (run.trainable_params / 1e6));
    assert.equal(run.macro_f1_per_million, run.test.macro_f1 / (run.trainable_params / 1e6));
    assert.equal(run.adapter.description, "a test's GPU");
    assert.equal(run.adapter.subgroup_size, 0);
    assert.equal(run.model.config.hidden_size, 8);
    assert.equal(run.versions.deno, Deno.version.deno);
    assert.equal(run.test.confusion_matrix[1][0], 1);
    assert.equal(run.peak_gpu_bytes, 1000);
    assert.deepEqual([run.best_step, run.best_epoch, run.validation_steps], [4, 1, [4]]);
    assert.deepEqual([run.total_steps, run.stopped_early], [4, false]);
    const steps = (await Deno.readTextFile(join(folder, "e", "lora-r8-a8", "steps.jsonl")))
      .trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(steps.length, 4);
    assert.deepEqual(steps[1], {
      step: 2,
      epoch: 1,
      loss: 0.5,
      gradient_norm: 1,
      learning_rate: 1e-5,
      tokens: 10,
      tokens_per_second: 100,
    });
    const comparison = await readJson(folder, "e", "comparison.json");
    assert.deepEqual(comparison.notices, run.notices);
  }));

Deno.test("settings stand in run.json under the names of their flags", () => {
  for (const { name, settings, plan, report } of Object.values(methods)) {
    assert.deepEqual(
      Object.keys(report(plan({})[0] as never, bertBaseUncased)),
      Object.keys(settings),
      name,
    );
  }
});

Deno.test("the same command twice makes two numbered folders", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "007-older"));
    const args = ["--method", "full", "--model_name", "mini", "--dataset", "data/My Tweets.csv"];
    await experiment(folder, args);
    await experiment(folder, args);
    const names = await namesIn(folder);
    assert.deepEqual(names, ["007-older", "008-mini-my-tweets", "009-mini-my-tweets"]);
  }));

Deno.test("an existing run is refused before training, unless --overwrite", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full"];
    await experiment(folder, args);
    await Deno.writeTextFile(join(folder, "e", "full", "note.txt"), "mine");
    const seen: FakeOptions["seen"] = [];
    await assert.rejects(
      experiment(folder, ["--experiment", "e"], { seen }),
      (error) => error instanceof UserError && error.exitCode === 2 && /full/.test(error.message),
    );
    assert.deepEqual(seen, []);
    await experiment(folder, [...args, "--overwrite"]);
    assert.deepEqual(await tree(join(folder, "e", "full")), [
      "predictions.jsonl",
      "run.json",
      "steps.jsonl",
      "weights",
    ]);
  }));

Deno.test("class weights that do not fit the labels are refused before anything is trained", () =>
  withFolder(async (folder) => {
    const weights = join(folder, "weights.json");
    await Deno.writeTextFile(weights, `{"anger": 2, "happy": 1}`);
    const seen: FakeOptions["seen"] = [];
    await assert.rejects(
      experiment(join(folder, "r"), ["--class_weights", weights], { seen }),
      /name "happy", which the data do not have: their labels are "anger", "joy"\./,
    );
    assert.deepEqual(seen, []);
    assert.deepEqual(await tree(join(folder, "r")), []);
  }));

Deno.test("a base that is built in is saved once, and LoRA and adapters name it", () =>
  withFolder(async (folder) => {
    const bases: string[] = [];
    const args = ["--experiment", "e", "--rank", "4", "--size", "64"];
    await experiment(folder, args, { bases });
    const base = join(folder, "e", "base");
    assert.deepEqual(bases, ["bert-base-uncased", "saved", base, base]);
    assert.deepEqual(await tree(base), ["config.json"]);
  }));

Deno.test("progress, facts and notices reach the reader", () =>
  withFolder(async (folder) => {
    const { out, err } = await experiment(folder, ["--method", "full"], { notice: "STAND-IN" });
    assert.match(err, /!{10,}\n! {2}STAND-IN\n!{10,}/);
    const text = out.replace(/\s+/g, " ");
    assert.match(text, /40 examples of 2 classes \(1 empty and 2 duplicate rows dropped\)/);
    assert.match(out, /32 train, 4 validation, 4 test \(seed 42\)/);
    assert.match(out, /a test's GPU \(software\)/);
    assert.match(out, /full \(1 of 1\)/);
    assert.match(out, /full step 4\/4/);
  }));
