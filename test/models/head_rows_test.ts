/** A checkpoint's classifier is taken by its classes' names, in whatever order they stand. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { noGrad } from "../../engine/tape.ts";
import { headRows } from "../../models/encoders/head_rows.ts";
import { inputLimits, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { toJson } from "../../models/files/json.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { createModel } from "../../models/model.ts";
import { packBatch } from "../../models/nn/batch.ts";
import { golden, withFolder } from "../files/temporary.ts";
import { testDevice } from "./device.ts";

const architecture = "BertForSequenceClassification";
const rowsOf = (fields: Record<string, unknown>, labels: string[]) =>
  headRows(fields, labels, architecture);
const named = (...names: string[]) => ({ id2label: Object.fromEntries(names.entries()) });

Deno.test("rows are found by name, in any order", () => {
  const labels = ["anger", "joy", "sadness"];
  const rows = [2, 1, 0];
  assert.deepEqual(rowsOf(named("sadness", "joy", "anger"), labels), { rows });
  assert.deepEqual(rowsOf(named("Sadness ", "JOY", "anger"), labels), { rows });
  assert.deepEqual(rowsOf({ label2id: { anger: 2, joy: 1, sadness: 0 } }, labels), { rows });
  assert.deepEqual(rowsOf({ id2label: { 2: "anger", 0: "sadness", 1: "joy" } }, labels), { rows });
  // The exact name goes before one that differs in case.
  assert.deepEqual(rowsOf(named("joy", "Joy"), ["Joy", "joy"]), { rows: [1, 0] });
  assert.deepEqual(rowsOf(named("JOY", "joy"), ["Joy", "joy"]), { rows: [0, 1] });
  assert.deepEqual(rowsOf({ ...named("1", "0"), problem_type: null }, ["0", "1"]), {
    rows: [1, 0],
  });
});

Deno.test("a classifier of other classes, or of another task, is not taken, and it is told why", () => {
  const labels = ["anger", "joy"];
  const cases: [Record<string, unknown>, RegExp][] = [
    [named("LABEL_0", "LABEL_1"), /^calls its classes LABEL_0 … LABEL_1, which are no names$/],
    [named("LABEL_0", "LABEL_1", "LABEL_2"), /LABEL_0 … LABEL_2/],
    [named("anger", "fear"), /^has classes of other names \(anger, fear; none for joy\)$/],
    [named("anger", "joy", "fear"), /^has 3 classes \(anger, joy, fear\)$/],
    [named("joy"), /^has 1 classes/],
    [named("joy", "JOY"), /other names .* none for anger/],
    [{}, /no id2label/],
    [{ id2label: { 0: "anger", 2: "joy" } }, /no id2label/],
    [{ id2label: ["anger", "joy"] }, /no id2label/],
    [{ ...named("anger", "joy"), problem_type: "multi_label_classification" }, /several labels/],
    [{ ...named("anger", "joy"), problem_type: "regression" }, /gives a number/],
    [{ ...named("anger", "joy"), architectures: ["BertForTokenClassification"] }, /BertForTokenCl/],
  ];
  for (const [fields, message] of cases) {
    const found = rowsOf(fields, labels);
    assert.ok("other" in found, JSON.stringify(fields));
    assert.match(found.other, message);
  }
  const alike = rowsOf(named("joy ", "Joy"), ["JOY", "jOy"]);
  assert.ok("other" in alike && /too much alike/.test(alike.other));
});

/** Logits of two texts by a checkpoint, one column a class, and the notes on its weights. */
async function logitsOf(folder: string, classes: number | string[]) {
  const fields = await readJsonObject(hostFolder(folder), "config.json");
  const config = parseConfig(fields);
  const weights = await openWeights(hostFolder(folder), config, classes);
  const count = typeof classes === "number" ? classes : classes.length;
  const device = await testDevice();
  const options = { config, method: { method: "full" }, classes: count, seed: 1 } as const;
  const built = await createModel(device, { ...options, weights });
  weights.close();
  device.beginStep(0, 0);
  const batch = packBatch(device, [[2, 5, 3], [2, 9, 7, 3]], [0, 1], inputLimits(config, count));
  const logits = await noGrad(() => built.model.logits(batch)).read();
  device.endStep();
  built.destroy();
  return { logits: [...logits], notes: weights.notes };
}

for (const model of ["model", "models/roberta", "models/distilbert"]) {
  Deno.test(`${model}: a permuted classifier gives each class the score that it has unpermuted`, async () => {
    const base = golden(...model.split("/"));
    const names = ["a", "b", "c", "d", "e"];
    const order = [3, 0, 4, 1, 2]; // the row of the file that each class of the data has
    await withFolder(async (folder) => {
      const fields = await readJsonObject(hostFolder(base), "config.json");
      const tensors = await readTensors(hostFolder(base), "model.safetensors");
      const id2label = Object.fromEntries(names.map((name, at) => [order[at], name]));
      await writeFiles(folder, [{ name: "model.safetensors", tensors }]);
      await Deno.writeTextFile(join(folder, "config.json"), toJson({ ...fields, id2label }));
      const { logits, notes } = await logitsOf(folder, names);
      const stored = await logitsOf(base, names.length);
      assert.match(notes[0], /^The classifier of 5 classes comes .*: its rows .* the data's order/);
      const expected = [0, 1].flatMap((text) => order.map((row) => stored.logits[5 * text + row]));
      for (const [at, value] of logits.entries()) assert.ok(Math.abs(value - expected[at]) < 1e-5);
      assert.ok(Math.abs(logits[0] - stored.logits[0]) > 1e-3, "the order shows");

      const other = await logitsOf(folder, ["a", "b", "c", "d", "x"]);
      assert.match(
        other.notes[0],
        /^The checkpoint's classifier has classes of other names .*none for x.* 5 classes starts new/,
      );
      assert.ok(Math.abs(other.logits[0] - logits[0]) > 1e-4, "it starts new");
    });
  });
}
