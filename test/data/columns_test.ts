import assert from "node:assert/strict";
import { findColumns, otherColumns } from "../../models/data/columns.ts";
import { UserError } from "../../models/errors.ts";

Deno.test("columns are found by their usual names, in any case", () => {
  const found = (...columns: string[]) => findColumns(columns, {}, "x.csv");
  assert.deepEqual(found("Sentence", "Label"), { textColumn: "Sentence", labelColumn: "Label" });
  assert.deepEqual(found("tweet_id", "sentiment", "text"), {
    textColumn: "text",
    labelColumn: "sentiment",
  });
  assert.deepEqual(found("EMOTION", "Content"), { textColumn: "Content", labelColumn: "EMOTION" });
  for (const name of ["labels", "category", "class", "target", "intent", "emotions", "tag"]) {
    assert.deepEqual(found("id", "utterance", name), {
      textColumn: "utterance",
      labelColumn: name,
    });
  }
  for (const name of ["tweet", "review", "comment", "message", "title"]) {
    assert.equal(found("Unnamed: 0", "__index_level_0__", name, "label").textColumn, name);
  }
  // A title stands beside many texts.
  assert.equal(found("title", "description", "label").textColumn, "description");
  // The usual order decides, not the file's: "text" before "sentence", "label" before "emotion".
  assert.deepEqual(found("emotion", "sentence", "label", "text"), {
    textColumn: "text",
    labelColumn: "label",
  });
});

Deno.test("columns that were asked for, and errors that list what there is", () => {
  const columns = ["Note", "mood", "label"];
  assert.deepEqual(findColumns(columns, { textColumn: "note", labelColumn: "mood" }, "x.csv"), {
    textColumn: "Note",
    labelColumn: "mood",
  });
  assert.throws(
    () => findColumns(columns, {}, "x.csv"),
    (error: unknown) =>
      error instanceof UserError && error.exitCode === 1 &&
      /x\.csv has no column called text, sentence, content, .*, title; its columns are "Note", "mood", "label"/
        .test(error.message) &&
      error.remedy?.kind === "nameColumn" && error.remedy.column === "text",
  );
  assert.throws(
    () => findColumns(columns, { textColumn: "nope" }, "x.csv"),
    (error: unknown) =>
      error instanceof UserError && error.exitCode === 2 &&
      /no column "nope"; its columns are "Note", "mood", "label"/.test(error.message),
  );
  const both = { textColumn: "label", labelColumn: "label" };
  assert.throws(() => findColumns(["label"], both, "x.csv"), /cannot be both/);
  // What was asked for as the text is not found as the label as well.
  assert.throws(() => findColumns(["label"], { textColumn: "label" }, "x.csv"), /no column called/);
});

Deno.test("columns that might have been meant as well are told, where none was asked for", () => {
  const columns = ["title", "text", "label", "category", "id"];
  const found = { textColumn: "text", labelColumn: "label" };
  assert.deepEqual(otherColumns(columns, found, {}), ["title", "category"]);
  assert.deepEqual(otherColumns(columns, found, { labelColumn: "label" }), ["title"]);
  assert.deepEqual(otherColumns(columns, found, found), []);
});
