/** An experiment that was stopped: what is finished, what is not, and how to go on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "../../cli/inspect.ts";
import { reportLines } from "../../cli/inspect/report.ts";
import { folderTest } from "../files/temporary.ts";

folderTest(
  "an experiment that was stopped says which runs are left, and how to go on",
  async (folder) => {
    const experiment = join(folder, "e");
    await Deno.mkdir(join(experiment, "checkpoints"), { recursive: true });
    const command = join(experiment, "checkpoints", "command.json");
    const runs = ["full", "lora-r4", "lora-r8"];
    await Deno.writeTextFile(command, JSON.stringify({ runs, done: ["full"] }));
    const found = await inspect(experiment);
    assert.equal(found.kind, "experiment");
    assert.deepEqual(found.details.unfinished, ["lora-r4", "lora-r8"]);
    const text = reportLines(found, false, 80).join("\n");
    assert.match(text, /Unfinished +lora-r4, lora-r8/);
    assert.match(text, /Use it: deno task train --resume .*e$/m);
  },
);
