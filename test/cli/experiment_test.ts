import assert from "node:assert/strict";
import { join } from "node:path";
import { runExperiment } from "../../cli/train/experiment.ts";
import { addBaselines } from "../../cli/train/comparison.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { planRuns } from "../../cli/train/plan.ts";
import { findResumed } from "../../cli/train/resume.ts";
import { newSession } from "../../cli/train/session.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { methods } from "../../models/peft/methods.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { type FakeOptions, fakeTools } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";

const hub = { endpoint: "", cacheFolder: "", offline: true };

type Options = FakeOptions & { found?: Awaited<ReturnType<typeof findResumed>> };

async function experiment(outputDir: string, args: string[], options: Options = {}) {
  const command = ["--output_dir", outputDir, ...args];
  const parsed = parseFlags(command);
  assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
  const isAsked = options.found === undefined && parsed.flags.resume !== undefined;
  const found = isAsked ? await findResumed(parsed.flags) : options.found;
  assert.ok(!found?.finished);
  const { flags, resumed } = { resumed: undefined, ...found ?? parsed };
  const session = newSession();
  const [out, err] = [recorder(), recorder()];
  const plan = planRuns(flags);
  const settings = { flags, plan, hub, command, resumed, out, err, session };
  const result = await runExperiment(settings, fakeTools(options));
  assert.equal(session.unfinished.size, 0);
  return { ...result, out: out.text, err: err.text };
}

/** Everything below a folder, hidden files too. */
async function tree(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    paths.push(entry.name);
    if (entry.isDirectory) {
      const below = await tree(join(folder, entry.name));
      paths.push(...below.map((path) => `${entry.name}/${path}`));
    }
  }
  return paths.sort();
}

const readJson = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(...path)));

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
    assert.deepEqual(run.notices, ["MINI STANDS IN"]);
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
    });
    assert.equal(run.gradient_checkpointing, false);
    assert.deepEqual(run.labels, ["anger", "joy"]);
    assert.equal(run.dataset.hash, "0123");
    assert.equal(run.dataset.rows_read, 43);
    assert.deepEqual(run.dataset.split, { train: 32, validation: 4, test: 4, seed: 42 });
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
    assert.deepEqual(comparison.notices, ["MINI STANDS IN"]);
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

Deno.test("an experiment grows, and compares only what can be compared", () =>
  withFolder(async (folder) => {
    const named = (...args: string[]) => ["--experiment", "e", ...args];
    await experiment(folder, named("--method", "full"));
    const older = await readJson(folder, "e", "full", "run.json");
    delete older.hyperparameters.frozen_dtype; // as runs were before there was a choice
    delete older.hyperparameters.matmul_precision;
    delete older.hyperparameters.lr_scheduler;
    await Deno.writeTextFile(join(folder, "e", "full", "run.json"), JSON.stringify(older));
    await experiment(folder, named("--method", "adapter", "--size", "4", "--num_epochs", "3"));
    await experiment(folder, named("--method", "adapter", "--size", "8"), { hash: "4567" });
    const summed = ["--gradient_accumulation_steps", "2"];
    await experiment(folder, named("--method", "adapter", "--size", "16", ...summed));
    await experiment(folder, named("--method", "lora", "--rank", "1", "--frozen_dtype", "bf16"));
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
      "Best by macro F1 is full; lora-r2 is not told apart from it by 4 rows.",
    ]);
    const { gradient_checkpointing } = await readJson(folder, "e", "lora-r2", "run.json");
    assert.equal(gradient_checkpointing, true);
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

Deno.test("a failure keeps what is finished and leaves nothing half", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "lora"];
    await assert.rejects(
      experiment(folder, args, { failIn: "lora-r8" }),
      /^UserError: lora-r8: The GPU went away\. Finished and saved in .*: lora-r4\. Not trained: lora-r16\. Go on with: deno task train --resume .*e$/,
    );
    const names = await namesIn(join(folder, "e"));
    const compared = ["csv", "html", "json", "md", "tex"].map((end) => `comparison.${end}`);
    assert.deepEqual(names, ["checkpoints", ...compared, "logs", "lora-r4"]);
    await experiment(folder, ["--resume", join(folder, "e")]);
    await assert.rejects(experiment(folder, ["--method", "full"], { failIn: "full" }));
    assert.deepEqual(await namesIn(folder), ["e"]);
  }));

Deno.test("unfinished work outlives a command that is wrong, and --overwrite drops it", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "lora"];
    await assert.rejects(experiment(folder, args, { failIn: "lora-r8" }));
    const command = join(folder, "e", "checkpoints", "command.json");
    const work = await Deno.readTextFile(command);
    const replaced = [...args, "--overwrite"];
    await assert.rejects(experiment(folder, replaced, { deviceError: "no adapter" }));
    assert.equal(await Deno.readTextFile(command), work);
    await experiment(folder, replaced);
    await assert.rejects(Deno.stat(command), Deno.errors.NotFound);
  }));

Deno.test("what another program finished between --resume's reading and its claim is not trained again", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "lora"];
    await assert.rejects(experiment(folder, args, { failIn: "lora-r8" }));
    const resume = ["--resume", join(folder, "e")];
    const parsed = parseFlags(resume);
    assert.ok(parsed.kind === "flags");
    const found = await findResumed(parsed.flags);
    assert.ok(!found.finished);
    await assert.rejects(experiment(folder, resume, { failIn: "lora-r16" }));
    const seen: NonNullable<FakeOptions["seen"]> = [];
    await experiment(folder, resume, { found, seen });
    assert.deepEqual(seen.map(({ run }) => run), ["lora-r16"]);
    await assert.rejects(experiment(folder, resume, { found }), /has just finished or dropped/);
    assert.deepEqual((await tree(join(folder, "e"))).filter((path) => /^checkp/.test(path)), []);
  }));

Deno.test("runs that had not begun do not go on with class weights that have changed since", () =>
  withFolder(async (folder) => {
    const weights = join(folder, "weights.json");
    await Deno.writeTextFile(weights, `{"anger": 2, "joy": 1}`);
    const args = ["--experiment", "e", "--method", "lora", "--class_weights", weights];
    await assert.rejects(experiment(folder, args, { failIn: "lora-r8" }));
    const resume = ["--resume", join(folder, "e")];
    await Deno.writeTextFile(weights, `{"anger": 3, "joy": 1}`);
    await assert.rejects(
      experiment(folder, resume),
      /^UserError: .*e cannot go on: the class weights have changed\. Put that back/,
    );
    await Deno.writeTextFile(weights, `{"joy": 1, "anger": 2}`);
    await experiment(folder, resume);
  }));

Deno.test("on a full disk what was trained stays in memory until there is room", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full"];
    const { err, folder: results } = await experiment(folder, args, { fullDisks: 1 });
    assert.match(
      err.replace(/\s!? */g, " "),
      /Cannot write .*full: the disk is full\. Its training is kept/,
    );
    assert.deepEqual(await tree(join(results, "full")), [
      "predictions.jsonl",
      "run.json",
      "steps.jsonl",
      "weights",
    ]);
  }));

Deno.test("a failing replacement keeps the older run", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full"];
    await experiment(folder, args);
    const before = await Deno.readTextFile(join(folder, "e", "full", "run.json"));
    await assert.rejects(experiment(folder, [...args, "--overwrite"], { failIn: "full" }));
    assert.equal(await Deno.readTextFile(join(folder, "e", "full", "run.json")), before);
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

Deno.test("--baselines adds bags of words, trained once for the same rows", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method"];
    const { comparison } = await experiment(folder, [...args, "full", "--baselines"]);
    assert.deepEqual(comparison.baselines.map(({ name }) => name), [
      "majority",
      "bag-of-words",
      "bag-of-characters",
    ]);
    const kept = join(folder, "e", "baselines.json");
    const { mtime } = await Deno.stat(kept);
    const again = await experiment(folder, [...args, "lora", "--rank", "4", "--baselines"]);
    assert.equal(again.comparison.baselines.length, 3);
    assert.deepEqual((await Deno.stat(kept)).mtime, mtime);
    const csv = await Deno.readTextFile(join(folder, "e", "comparison.csv"));
    assert.match(
      csv,
      /\nMajority class,anger,.*\nBag of words,tf-idf,.*\nBag of characters,tf-idf,/,
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

Deno.test("an experiment does not go on over weights that have changed since", () =>
  withFolder(async (folder) => {
    const model = join(folder, "model");
    await Deno.mkdir(model);
    await Deno.writeTextFile(join(model, "model.safetensors"), "weights");
    const args = ["--experiment", "e", "--method", "lora"];
    await assert.rejects(experiment(folder, args, { failIn: "lora-r8", model }));
    await Deno.writeTextFile(join(model, "model.safetensors"), "Weights");
    const resume = ["--resume", join(folder, "e")];
    await assert.rejects(
      experiment(folder, resume, { model }),
      /^UserError: .*e cannot go on: the weights of bert-base-uncased have changed\. Put that back/,
    );
    await Deno.writeTextFile(join(model, "model.safetensors"), "weights");
    await experiment(folder, resume, { model });
  }));
