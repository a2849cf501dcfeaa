/** Checkpoints of a run on disk, the claim on an experiment, and what a killed program leaves. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  checkpointSteps,
  newestCheckpoint,
  type StoppedRun,
  writeCheckpoint,
} from "../../cli/train/checkpoints.ts";
import { claim } from "../../cli/train/claim.ts";
import { mend } from "../../cli/shared/folders.ts";
import { claimWork, leaveWork, readWork, workFolder, writeWork } from "../../cli/train/work.ts";
import { UserError } from "../../models/errors.ts";
import { defaultHyperparameters as hyperparameters } from "../../models/training/events.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { stateOf, tinyConfig } from "./fake_tools.ts";

const runAt = (step: number): StoppedRun => ({
  state: stateOf({ method: { method: "full" }, model: tinyConfig, hyperparameters }, step),
  history: { started: new Date(0).toISOString(), resumed_at_steps: [], warnings: ["w"] },
  steps: Array.from({ length: step }, (_, index) => `{"step":${index + 1}}\n`),
});

const neverCalled = (message: string) => assert.fail(message);

Deno.test("the newest checkpoints are kept, and the newest is read as it was written", () =>
  withFolder(async (folder) => {
    const options = { keep: 2, unfinished: new Set<string>() };
    assert.equal(await newestCheckpoint(join(folder, "none"), neverCalled), undefined);
    for (const step of [8, 9, 10]) await writeCheckpoint(folder, runAt(step), options);
    assert.deepEqual(await checkpointSteps(folder), [10, 9]);
    assert.deepEqual(await newestCheckpoint(folder, neverCalled), runAt(10));
    const again = { ...runAt(10), history: { ...runAt(10).history, warnings: [] } };
    await writeCheckpoint(folder, again, options);
    assert.deepEqual(await newestCheckpoint(folder, neverCalled), again);
    assert.deepEqual(await namesIn(folder), ["step-10", "step-9"]);
  }));

Deno.test("a checkpoint that is damaged is told, and the one before it used", () =>
  withFolder(async (folder) => {
    const options = { keep: 3, unfinished: new Set<string>() };
    for (const step of [1, 2, 3]) await writeCheckpoint(folder, runAt(step), options);
    const weights = await Deno.readFile(join(folder, "step-3", "weights.safetensors"));
    await Deno.writeFile(join(folder, "step-3", "weights.safetensors"), weights.subarray(0, -4));
    await Deno.writeTextFile(join(folder, "step-2", "steps.jsonl"), '{"step":1}\n');
    await Deno.remove(join(folder, "step-2", "SHA256SUMS")); // as an older version left it
    const told: string[] = [];
    assert.deepEqual(await newestCheckpoint(folder, (text) => told.push(text)), runAt(1));
    assert.match(told[0], /^The checkpoint .*step-3 cannot be used: .*weights\.safetensors/);
    assert.match(told[1], /step-2 cannot be used: .*steps\.jsonl has 1 step of the state's 2\.$/);
  }));

Deno.test("a bit that was flipped in any file of a checkpoint is noticed; one without sums is read as it is", () =>
  withFolder(async (folder) => {
    const options = { keep: 3, unfinished: new Set<string>() };
    for (const step of [1, 2]) await writeCheckpoint(folder, runAt(step), options);
    const newest = join(folder, "step-2");
    const names = await namesIn(newest);
    assert.ok(names.includes("SHA256SUMS") && names.includes("moments.safetensors"));
    for (const name of names) {
      const bytes = await Deno.readFile(join(newest, name));
      const flipped = bytes.slice();
      flipped[flipped.length - 2] ^= 1;
      await Deno.writeFile(join(newest, name), flipped);
      const told: string[] = [];
      assert.deepEqual(await newestCheckpoint(folder, (text) => told.push(text)), runAt(1));
      assert.match(told.join(), new RegExp(`step-2 cannot be used: .*/${name}.* is damaged`));
      await Deno.writeFile(join(newest, name), bytes);
    }
    await Deno.remove(join(newest, "SHA256SUMS"));
    assert.deepEqual(await newestCheckpoint(folder, neverCalled), runAt(2));
  }));

Deno.test("an experiment is one program's at a time, and nobody's after it", () =>
  withFolder((folder) => {
    const inner = join(folder, "checkpoints");
    const first = claim(folder, inner);
    assert.throws(() => claim(folder, inner), /^UserError: Another program is training into /);
    first.release();
    claim(folder, inner).release();
    // What keeps the folder from being written is told before anything is trained.
    Deno.writeTextFileSync(join(folder, "file"), "");
    const below = join(folder, "file", "e");
    assert.throws(
      () => claim(below, join(below, "checkpoints")),
      /Cannot write in .*See --output_dir/,
    );
    Deno.removeSync(join(inner, "lock"));
    Deno.symlinkSync(join(folder, "nowhere", "lock"), join(inner, "lock"));
    assert.throws(() => claim(folder, inner), /Cannot write in .*See --output_dir/);
    return Promise.resolve();
  }));

Deno.test("an experiment whose unfinished work is a link elsewhere is refused, and nothing is removed there", () =>
  withFolder(async (folder) => {
    const outside = join(folder, "outside");
    await Deno.mkdir(join(outside, "step-1"), { recursive: true });
    for (const place of ["checkpoints", "checkpoints/lora-r8"]) {
      const experiment = join(folder, place.replace("/", "-"));
      await Deno.mkdir(join(experiment, place, ".."), { recursive: true });
      await Deno.symlink(outside, join(experiment, place));
      assert.throws(
        () => claimWork(experiment),
        (error) =>
          error instanceof UserError &&
          error.message.startsWith(`${join(experiment, place)} is a link`),
      );
    }
    assert.deepEqual(await namesIn(outside), ["step-1"]);
  }));

Deno.test("unfinished work stays where a run is done or has a checkpoint, and goes else", () =>
  withFolder(async (folder) => {
    const work = {
      command: [],
      runs: ["full", "lora-r4"],
      done: [] as string[],
      model: { name: "mini" },
      dataset_hash: "0",
      tuning: { key: "", plans: {}, refused: [] },
    };
    const leave = async (done: string[]) => {
      const held = claimWork(folder);
      await writeWork(held.work, { ...work, done });
      leaveWork(held.work, held);
      return await namesIn(folder);
    };
    assert.deepEqual(await leave([]), []);
    assert.deepEqual(await leave(["full"]), ["checkpoints"]);
    assert.deepEqual(await leave(["full", "lora-r4"]), []);
    const checkpoints = join(workFolder(folder), "full");
    await writeCheckpoint(checkpoints, runAt(1), { keep: 1, unfinished: new Set() });
    assert.deepEqual(await leave([]), ["checkpoints"]);
    // Where its file is damaged, a checkpoint stays all the same: the file can be mended.
    const held = claimWork(folder);
    await Deno.writeTextFile(join(workFolder(folder), "command.json"), "{");
    leaveWork(held.work, held);
    assert.deepEqual(await checkpointSteps(checkpoints), [1]);
    await assert.rejects(
      readWork(held.work),
      /command\.json is not JSON: .* --overwrite begins it/,
    );
  }));

Deno.test("what a program left that was killed while it replaced a folder is put in order", () =>
  withFolder(async (folder) => {
    const id = crypto.randomUUID();
    const make = async (name: string, content: string) => {
      await Deno.mkdir(join(folder, name));
      await Deno.writeTextFile(join(folder, name, "run.json"), content);
    };
    // Between the two renames; after the first write; while the old one was being removed.
    await make(`.full.${id}.old`, "old");
    await make(`.full.${id}.tmp`, "new");
    await make(`.lora-r4.${id}.old`, "old");
    await make(`.lora-r8.${id}.tmp`, "half");
    await make("lora-r8", "whole");
    await make(`.adapter-64.${id}.old`, "old");
    await make("adapter-64", "new");
    await Deno.writeTextFile(join(folder, `.comparison.json.${id}.tmp`), "half");
    await Deno.writeTextFile(join(folder, ".mine.tmp"), "somebody's");
    await mend(folder);
    assert.deepEqual(await namesIn(folder), [
      ".mine.tmp",
      "adapter-64",
      "full",
      "lora-r4",
      "lora-r8",
    ]);
    const content = (name: string) => Deno.readTextFileSync(join(folder, name, "run.json"));
    assert.deepEqual(["full", "lora-r4", "lora-r8", "adapter-64"].map(content), [
      "new",
      "old",
      "whole",
      "new",
    ]);
  }));
