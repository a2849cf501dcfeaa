import assert from "node:assert/strict";
import { join } from "node:path";
import {
  newExperiment,
  removeIfEmpty,
  removeUnfinished,
  shortName,
  writeFolderWhole,
} from "../../cli/shared/folders.ts";
import { WriteError } from "../../models/host/write.ts";
import { withFolder } from "../files/temporary.ts";

Deno.test("short names are the last part, in lower case, without what is no letter", () => {
  const names: [string, string][] = [
    ["boltuix/emotions-dataset", "emotions"],
    ["bert-base-uncased", "bert-base-uncased"],
    ["/data/My Tweets.csv", "my-tweets"],
    ["C:\\data\\x.JSONL", "x"],
    ["../models/all-MiniLM-L6-v2/", "all-minilm-l6-v2"],
    ["dataset", "dataset"],
    ["...", "data"],
  ];
  for (const [name, expected] of names) assert.equal(shortName(name), expected);
});

Deno.test("an interrupted write leaves nothing, finished folders stay", () =>
  withFolder(async (root) => {
    const folder = await newExperiment(root, "mini", "sample");
    assert.equal(folder, join(root, "001-mini-sample"));
    const unfinished = new Set<string>();
    await assert.rejects(
      writeFolderWhole(join(folder, "full"), unfinished, async (temporary) => {
        assert.deepEqual([...unfinished], [temporary]);
        await Deno.writeTextFile(join(temporary, "run.json"), "{}");
        removeUnfinished(unfinished); // as Ctrl-C does
        await Deno.writeTextFile(join(temporary, "more"), "");
      }),
      WriteError,
    );
    assert.equal(unfinished.size, 0);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    removeIfEmpty(folder);
    assert.deepEqual([...Deno.readDirSync(root)], []);
    await writeFolderWhole(
      join(folder, "full"),
      unfinished,
      (temporary) => Deno.writeTextFile(join(temporary, "run.json"), "{}"),
    );
    removeIfEmpty(folder);
    assert.equal(await Deno.readTextFile(join(folder, "full", "run.json")), "{}");
  }));
