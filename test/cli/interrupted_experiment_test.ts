/** What a failure, a full disk or a wrong command leaves of an experiment, and what goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseFlags } from "../../cli/train/flags.ts";
import { findResumed } from "../../cli/train/resume.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { experiment, tree } from "./experiment.ts";
import type { FakeOptions } from "./fake_tools.ts";

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
