/** What training leaves for the report, and that nothing of it can lose a run. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { folderTest } from "../files/temporary.ts";
import { runProgram } from "../cli/command.ts";

/** Trains LoRA of rank 4 without a GPU into `folder/e`. */
const train = (folder: string) =>
  runProgram(
    Deno.execPath(),
    [
      ...["run", "-q", "--no-check", "-P=test", "--no-prompt", "test/cli/fake_train.ts"],
      ...["--method", "lora", "--rank", "4", "--output_dir", folder, "--experiment", "e"],
    ],
    { env: { NO_COLOR: "1" } },
  );

folderTest("training ends with a report of its runs", async (folder) => {
  const { code, stderr } = await train(folder);
  assert.deepEqual([code, stderr], [0, ""]);
  const page = await Deno.readTextFile(join(folder, "e", "comparison.html"));
  assert.match(page, /LoRA r=4 labels 3 of 4 test\s+sentences right: accuracy 0\.750/);
  assert.ok(page.includes("LoRA r=4 labels every test sentence right."));
  assert.ok(page.includes(`deno task report ${join(folder, "e")}`));
});

folderTest(
  "where the logs and the report cannot be written, the run is saved all the same",
  async (folder) => {
    const experiment = join(folder, "e");
    await Deno.mkdir(join(experiment, "comparison.html"), { recursive: true });
    await Deno.symlink(join(folder, "nowhere", "logs"), join(experiment, "logs"));
    const { code, stderr } = await train(folder);
    assert.equal(code, 0);
    const told = stderr.replace(/[!\s]+/g, " ");
    assert.match(told, /lora-r4 is saved, but not its logs\. Cannot write /);
    assert.match(
      told,
      /The runs are saved, but comparison\.html could not be written: Cannot write /,
    );
    assert.ok((await Deno.stat(join(experiment, "lora-r4", "run.json"))).isFile);
    assert.ok((await Deno.stat(join(experiment, "comparison.json"))).isFile);
  },
);
