import assert from "node:assert/strict";
import { join } from "node:path";
import {
  ensureFolder,
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

Deno.test("results need a folder: a file, or a link to none, is named", () =>
  withFolder(async (root) => {
    const [file, link, loop] = ["file", "link", "loop"].map((name) => join(root, name));
    await Deno.writeTextFile(file, "");
    await Deno.symlink(join(root, "none"), link);
    await Deno.symlink(loop, loop);
    await assert.rejects(
      ensureFolder(file),
      /^UserError: Cannot make the folder .*: a file is in the way/,
    );
    await assert.rejects(ensureFolder(join(file, "x")), /a part of the path is a file/);
    for (const path of [link, loop]) {
      await assert.rejects(
        ensureFolder(path),
        /^UserError: .* is a link that leads to no folder\. See/,
      );
    }
    await Deno.mkdir(join(root, "none"));
    await ensureFolder(link);
  }));

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
