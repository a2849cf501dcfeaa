/** What the page shows without a GPU is made of an experiment's files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { recordingOf } from "../../cli/web/record.ts";
import { folderTest } from "../files/temporary.ts";
import { writeRun } from "../report/fixture.ts";

folderTest("a recording has the curves, the sizes and the command of its runs", async (folder) => {
  const command = ["--use_sample", "--output_dir", "/mine", "--rank", "8"];
  const fields = { command, adapter: { description: "A GPU", software: true } };
  await writeRun(folder, { run: "lora-r8", trainable: 9, fields }, { steps: 12 });
  const recording = await recordingOf([folder]);
  const [run] = recording.runs;
  assert.equal(recording.command, "./denow task train --use_sample --rank 8");
  assert.equal(recording.adapter, "A GPU (software)");
  assert.deepEqual([run.name, run.method, run.trainable], ["lora-r8", "lora", 9]);
  const lines = (await Deno.readTextFile(join(folder, "lora-r8", "steps.jsonl"))).trim().split(
    "\n",
  );
  const losses: number[] = lines.map((line) => JSON.parse(line).loss);
  const mean = (part: number[]) =>
    Number((part.reduce((sum, loss) => sum + loss, 0) / part.length).toFixed(4));
  assert.deepEqual(run.loss, [
    [5, mean(losses.slice(0, 5))],
    [10, mean(losses.slice(5, 10))],
    [12, mean(losses.slice(10))],
  ]);
  assert.equal(run.test.accuracy, 0.5);
  assert.ok(run.macroF1.every(([step, f1]) => step > 0 && f1 > 0), String(run.macroF1));
});

folderTest("what is not whole is not recorded", async (folder) => {
  const run = await writeRun(folder, { run: "lora-r8" });
  await Deno.writeTextFile(join(run, "steps.jsonl"), "no line of it\n");
  await assert.rejects(
    recordingOf([folder]),
    /^UserError: This cannot be recorded whole: .*line 1/,
  );
});
