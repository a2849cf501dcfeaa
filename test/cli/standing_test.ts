/** What is said of a training that was stopped. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { stoppedSentence } from "../../cli/train/standing.ts";
import { StoppedError } from "../../cli/train/watch.ts";
import { withFolder } from "../files/temporary.ts";

Deno.test("a stopped training is resumed where it left something, and else begun anew", () =>
  withFolder(async (folder) => {
    const said = (experiment: string) =>
      stoppedSentence(
        new StoppedError({ signal: "Ctrl-C", exitCode: 130 }, experiment, "0 trials"),
      );
    const resume = `Go on with: deno task train --resume ${folder}`;
    assert.equal(await said(folder), `Stopped (Ctrl-C): 0 trials. ${resume}`);
    const none = await said(join(folder, "none"));
    assert.equal(none, "Stopped (Ctrl-C): 0 trials. The same command begins anew.");
  }));
