/** One spelling for one label. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { normalLabels } from "../../models/data/labels.ts";

const keep = (...column: string[]) => normalLabels(column, "keep");

Deno.test("Unicode's forms and what cannot be seen around a label make no other label", () => {
  const { labels } = keep("allégé", "alle\u0301ge\u0301", "\u200Ballégé", "\u00A0allégé\uFEFF");
  assert.deepEqual(new Set(labels), new Set(["allégé"]));
  const marks = ["\u2060", "\u200D", "\u200F", "\u3000", "\u0085", "\u00AD", "\u202B", "\t"];
  assert.deepEqual(
    new Set(keep("joy", ...marks.map((mark) => `${mark}joy${mark}`)).labels).size,
    1,
  );
  // Within a label they stay: a family is joined, and a heart has its colour.
  assert.deepEqual(keep("👨\u200D👩\u200D👧", "❤\uFE0F").labels, ["👨\u200D👩\u200D👧", "❤\uFE0F"]);
  // A long run within takes no time to speak of.
  const long = `a${" ".repeat(300_000)}b`;
  assert.deepEqual(keep(long, `${long} `).labels, [long, long]);
  assert.deepEqual(keep("\u200B", " \u2060 ").labels, ["", ""]);
});

Deno.test("what pandas reads as missing is missing, as a whole label only, and counted by the word", () => {
  const words = "nan NaN null NULL None NA N/A n/a <NA> #N/A -nan".split(" ");
  const { labels, missing } = keep(...words, " nan\u200B", "nano", "none", "Nan", "not NA", "");
  assert.deepEqual(labels.slice(0, words.length + 1), Array(words.length + 1).fill(""));
  assert.deepEqual(labels.slice(words.length + 1), ["nano", "none", "Nan", "not NA", ""]);
  assert.equal(missing.get("nan"), 2);
  assert.equal(missing.size, words.length);
});

Deno.test("0 and 0.0 are one class where all labels are whole numbers, and only there", () => {
  assert.deepEqual(keep("0", "0.0", "2.00", "-1.0", "", "nan").labels, [
    "0",
    "0",
    "2",
    "-1",
    "",
    "",
  ]);
  assert.deepEqual(keep("-0.0", "0").labels, ["0", "0"]);
  assert.deepEqual(keep("0.0", "0.5").labels, ["0.0", "0.5"]);
  assert.deepEqual(keep("1.0", "v2.0").labels, ["1.0", "v2.0"]);
  // Digits beyond what a number holds, and zeros in front, are kept.
  assert.deepEqual(keep("9007199254740993.0", "007").labels, ["9007199254740993", "007"]);
});

Deno.test("labels that differ in case or blanks are told of, and folded when asked", () => {
  const column = ["Joy", "joy", "joy", "fear", "very  sad", "very sad", "very\u00A0sad"];
  const { labels, lookAlikes } = keep(...column);
  assert.deepEqual(labels, column);
  assert.deepEqual(lookAlikes, [
    [{ label: "joy", rows: 2 }, { label: "Joy", rows: 1 }],
    [
      { label: "very  sad", rows: 1 },
      { label: "very sad", rows: 1 },
      { label: "very\u00A0sad", rows: 1 },
    ],
  ]);
  const folded = normalLabels(column, "fold");
  assert.deepEqual(folded.labels, [
    ...["joy", "joy", "joy", "fear"],
    ...["very  sad", "very  sad", "very  sad"],
  ]);
  assert.deepEqual(folded.lookAlikes, lookAlikes);
});

Deno.test("a label that was brought into one spelling stays as it is", () => {
  fc.assert(fc.property(
    fc.array(fc.string({ unit: "binary" })),
    fc.constantFrom("keep" as const, "fold" as const),
    (column, labelCase) => {
      const once = normalLabels(column, labelCase).labels;
      assert.deepEqual(normalLabels(once, labelCase).labels, once);
    },
  ));
});
