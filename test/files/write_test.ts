import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { float, readJsonObject, toJson } from "../../models/files/json.ts";
import { exists, fileSource, hostFolder } from "../../models/host/files.ts";
import { WriteError, writeErrorAt, writeFileWhole } from "../../models/host/write.ts";
import { folderTest, namesIn } from "./temporary.ts";

folderTest("a file is written into a new folder and replaced as a whole", async (folder) => {
  const path = join(folder, "new", "note.txt");
  await writeFileWhole(path, "a longer first text, ä");
  assert.equal(await Deno.readTextFile(path), "a longer first text, ä");
  await writeFileWhole(path, new Uint8Array([1, 2, 3]));
  assert.deepEqual([...await Deno.readFile(path)], [1, 2, 3]);
  assert.equal(await writeFileWhole(path, [new Uint8Array([4]), new Uint8Array([5, 6])]), 3);
  assert.deepEqual([...await Deno.readFile(path)], [4, 5, 6]);
  assert.deepEqual(await namesIn(join(folder, "new")), ["note.txt"]);
});

folderTest("a failing write leaves the old file and no temporary one", async (folder) => {
  const path = join(folder, "note.txt");
  await writeFileWhole(path, "old");
  const pieces = function* () {
    yield new Uint8Array(10);
    throw new Error("disk full");
  };
  await assert.rejects(writeFileWhole(path, pieces()), /disk full/);
  assert.equal(await Deno.readTextFile(path), "old");
  assert.deepEqual(await namesIn(folder), ["note.txt"]);
});

folderTest("what the system refuses is told by its path, in words", async (folder) => {
  const path = join(folder, "note.txt");
  const refused = (code: string) => Object.assign(new Error(`${code} (os error 1)`), { code });
  const failing = function* (code: string) {
    yield new Uint8Array(10);
    throw refused(code);
  };
  for (
    const [code, kind, reason] of [
      ["ENOSPC", "full", "the disk is full"],
      ["EDQUOT", "full", "the disk quota is used up"],
      ["EROFS", "refused", "the disk is read-only"],
      ["EACCES", "refused", "no permission"],
      ["EXDEV", "refused", "EXDEV"],
    ]
  ) {
    await assert.rejects(writeFileWhole(path, failing(code)), (error) => {
      assert.ok(error instanceof WriteError);
      assert.equal(error.message, `Cannot write ${path}: ${reason}.`);
      assert.deepEqual([error.path, error.kind, error.reason], [path, kind, reason]);
      assert.deepEqual(error.remedy, { kind: "otherPlace", full: kind === "full" });
      return true;
    });
  }
  await Deno.writeTextFile(path, "a file");
  await assert.rejects(
    writeFileWhole(join(path, "below"), ""),
    (error) =>
      error instanceof WriteError && /note\.txt.below: a file is in the way/.test(error.message),
  );
  assert.deepEqual(await namesIn(folder), ["note.txt"]);
});

Deno.test("a refusal within a folder is told at the folder, and nothing else is changed", () => {
  const full = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  const inner = writeErrorAt("a/.b.tmp/c", full);
  const outer = writeErrorAt("a/b", inner);
  assert.ok(inner instanceof WriteError && outer instanceof WriteError);
  assert.equal(outer.path, "a/b");
  assert.equal(outer.cause, inner.cause);
  for (const other of [new UserError("Ours."), new TypeError("a mistake"), "thrown"]) {
    assert.equal(writeErrorAt("a", other), other);
  }
});

folderTest("a folder or a pipe in a file's place is told", async (folder) => {
  await assert.rejects(
    fileSource(folder),
    (error) => error instanceof UserError && error.message === `${folder} is a folder, not a file.`,
  );
  const pipe = join(folder, "pipe.csv");
  const { success } = await new Deno.Command("sh", { args: ["-c", `mkfifo ${pipe}`] }).output();
  assert.ok(success);
  await assert.rejects(fileSource(pipe), /pipe\.csv is a pipe or a device, not a file\./);
});

Deno.test("JSON has sorted keys, and floats that stay floats in Python", () => {
  const text = toJson({ b: float(1), a: { d: [float(0.25), 2], c: null }, "é": float(1e-7) });
  assert.equal(
    text,
    `{\n  "a": {\n    "c": null,\n    "d": [\n      0.25,\n      2\n    ]\n  },\n` +
      `  "b": 1.0,\n  "é": 1e-7\n}\n`,
  );
});

folderTest("an unreadable JSON file is an error that names it", async (folder) => {
  const path = join(folder, "config.json");
  const fails = (pattern: RegExp) =>
    assert.rejects(
      readJsonObject(hostFolder(folder), "config.json"),
      (error) => error instanceof UserError && pattern.test(error.message) && error.exitCode === 1,
    );
  await fails(/There is no file .*config\.json/);
  await Deno.writeTextFile(path, "{ no");
  await fails(/config\.json is not JSON/);
  await Deno.writeTextFile(path, "[]");
  await fails(/config\.json is not a JSON object/);
});

folderTest("a path exists or not, also one through a file", async (folder) => {
  const path = join(folder, "config.json");
  assert.equal(await exists(path), false);
  await Deno.writeTextFile(path, "{}");
  assert.equal(await exists(path), true);
  assert.equal(await exists(join(path, "model.safetensors")), false);
});
