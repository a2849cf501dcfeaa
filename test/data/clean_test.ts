import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cleanRows as clean, type RawRows } from "../../models/data/clean.ts";

const cleanRows = (texts: RawRows["texts"], labels: RawRows["labels"]) =>
  clean({ train: { texts, labels } });

Deno.test("empty rows and exact duplicates go, conflicts stay and are counted", async () => {
  const cleaned = await cleanRows(
    ["b", " a ", "a", "a", "", "c", "b", "  "],
    ["joy", "anger", "anger ", "joy", "joy", "", "fear", "fear"],
  );
  assert.deepEqual(cleaned.labels, ["anger", "fear", "joy"]);
  assert.deepEqual(cleaned.examples, [
    { text: "b", label: 2, row: 1 },
    { text: "a", label: 0, row: 2 },
    { text: "a", label: 2, row: 4 },
    { text: "b", label: 1, row: 7 },
  ]);
  assert.equal(cleaned.emptyRows, 3);
  assert.equal(cleaned.duplicates, 1);
  assert.equal(cleaned.conflicts, 2);
});

Deno.test("numbers sort by value", async () => {
  const labels = ["10", "9", "-1", "0"];
  assert.deepEqual((await cleanRows(["a", "b", "c", "d"], labels)).labels, ["-1", "0", "9", "10"]);
  assert.deepEqual((await cleanRows(["a", "b", "c"], ["10", "9", "x"])).labels, ["10", "9", "x"]);
});

Deno.test("the hash is SHA-256 of the kept rows as JSON lines", async () => {
  // printf '["a","joy"]\n["b","fear"]\n' | sha256sum
  const expected = "2c7193e2f4de765ce785018a4f0e642fe1bca11f7eef9a160f718acdb38ca710";
  assert.equal((await cleanRows(["a", "b", "a"], ["joy", "fear", "joy"])).hash, expected);
  assert.notEqual((await cleanRows(["a", "b"], ["joy", "joy"])).hash, expected);
  assert.notEqual((await cleanRows(["b", "a"], ["fear", "joy"])).hash, expected);
});

Deno.test("the hash of many rows is that of all their lines", async () => {
  const texts = Array.from({ length: 10_000 }, (_, row) => `naïve \u{1f600} ${row}`);
  const labels = texts.map((_, row) => `${row % 3}`);
  const hash = createHash("sha256");
  for (const [row, text] of texts.entries()) hash.update(`["${text}","${labels[row]}"]\n`);
  assert.equal((await cleanRows(texts, labels)).hash, hash.digest("hex"));
});
