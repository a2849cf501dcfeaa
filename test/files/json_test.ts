import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { folderOf, memoryFolder } from "../../models/files/folder.ts";
import { parseJson, readJsonObject } from "../../models/files/json.ts";

const folderWith = (bytes: Uint8Array) => memoryFolder("a", new Map([["x.json", bytes]]));
const encode = (text: string) => new TextEncoder().encode(text);

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("JSON is read as Windows' programs write it: with a mark of its bytes' order, or in UTF-16", async () => {
  const utf16 = new Uint8Array(
    new Uint16Array([...'\uFEFF{"é": 1}'].map((c) => c.charCodeAt(0))).buffer,
  );
  for (const bytes of [encode('\uFEFF{"é": 1}'), utf16]) {
    assert.deepEqual(await readJsonObject(folderWith(bytes), "x.json"), { "é": 1 });
  }
  assert.deepEqual(parseJson("\uFEFF[1]", "a line"), [1]);
});

Deno.test("JSON that is none says what is wrong, and where", async () => {
  const cases: [string, RegExp][] = [
    ['{"layer_norm_eps": NaN}', /^a\/x\.json: "layer_norm_eps" is NaN, which JSON has no word for/],
    ['{"a": [1, 2], "b": -Infinity}', /"b" is -Infinity/],
    ['{"a": 1', /^a\/x\.json is not JSON: /],
    ["", /^a\/x\.json is not JSON: /],
    ["[1]", /^a\/x\.json is not a JSON object/],
    [
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 570\n",
      /git-LFS pointer.* 570/,
    ],
    ["<!doctype html>", /^a\/x\.json is a web page/],
  ];
  for (const [text, message] of cases) {
    await rejects(readJsonObject(folderWith(encode(text)), "x.json"), message);
  }
});

Deno.test("brackets beyond all use are not followed down, those in strings do not count", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assert.throws(
    () => parseJson(nested(1e6), "a"),
    /^UserError: a has .* more than 200 levels deep/,
  );
  assert.throws(() => parseJson('{"a":'.repeat(1e5), "a"), /more than 200 levels deep/);
  for (const text of [nested(200), `[${"[],".repeat(500)}0]`, `["\\"${"[".repeat(999)}", 0]`]) {
    assert.equal(JSON.stringify(parseJson(text, "a")).length > 300, true);
  }
});

Deno.test("a file too large to be one of JSON is not read", async () => {
  const source = { ...bytesSource(encode("{}"), "a/x.json"), byteLength: 5e9 };
  const folder = folderOf({
    ...folderWith(encode("")),
    open: () => Promise.resolve({ ...source, slice: () => Promise.reject(new Error("read")) }),
  });
  await rejects(readJsonObject(folder, "x.json"), /^a\/x\.json takes 5000000000 bytes/);
});
