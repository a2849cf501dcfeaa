import assert from "node:assert/strict";
import { cleanRows } from "../../models/data/clean.ts";

Deno.test("empty rows and exact duplicates go, conflicts stay and are counted", () => {
  const cleaned = cleanRows(
    ["b", " a ", "a", "a", "", "c", "b", "  "],
    ["joy", "anger", "anger ", "joy", "joy", "", "fear", "fear"],
  );
  assert.deepEqual(cleaned.labels, ["anger", "fear", "joy"]);
  assert.deepEqual(cleaned.examples, [
    { text: "b", label: 2 },
    { text: "a", label: 0 },
    { text: "a", label: 2 },
    { text: "b", label: 1 },
  ]);
  assert.equal(cleaned.emptyRows, 3);
  assert.equal(cleaned.duplicates, 1);
  assert.equal(cleaned.conflicts, 2);
});

Deno.test("numbers sort by value", () => {
  const labels = ["10", "9", "-1", "0"];
  assert.deepEqual(cleanRows(["a", "b", "c", "d"], labels).labels, ["-1", "0", "9", "10"]);
  assert.deepEqual(cleanRows(["a", "b", "c"], ["10", "9", "x"]).labels, ["10", "9", "x"]);
});

Deno.test("the hash is SHA-256 of the kept rows as JSON lines", () => {
  // printf '["a","joy"]\n["b","fear"]\n' | sha256sum
  const expected = "2c7193e2f4de765ce785018a4f0e642fe1bca11f7eef9a160f718acdb38ca710";
  assert.equal(cleanRows(["a", "b", "a"], ["joy", "fear", "joy"]).hash, expected);
  assert.notEqual(cleanRows(["a", "b"], ["joy", "joy"]).hash, expected);
  assert.notEqual(cleanRows(["b", "a"], ["fear", "joy"]).hash, expected);
});
