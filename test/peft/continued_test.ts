/** Training that goes on from a run starts with exactly its tensors, the classifier's in the data's order. */
import assert from "node:assert/strict";
import { openWeights } from "../../models/encoders/weights.ts";
import { hostFolder } from "../../models/host/files.ts";
import { continuedWeights } from "../../models/peft/continued.ts";
import { methodParameters } from "../../models/peft/methods.ts";
import { expectedOf, runOf } from "../interop/kinds.ts";

const fixtures = new URL("../interop/fixtures", import.meta.url).pathname;
const names = ["sadness", "joy", "love", "anger", "fear"];

/** A fixture's run over its base for these labels: every tensor that it starts from, and the notes. */
async function startOf(kind: string, wanted: string[], known?: string[]) {
  const expected = await expectedOf(fixtures, kind);
  const run = await runOf(fixtures, kind, "", expected);
  const { config, folder } = run.model;
  const base = await openWeights(hostFolder(folder), config, wanted);
  const weights = continuedWeights({ weights: run.weights, labels: known, folder: "a" }, base, {
    config,
    labels: wanted,
  });
  const specs = methodParameters(config, run.method, wanted.length);
  const values = new Map<string, Float32Array | undefined>();
  for (const spec of specs) values.set(spec.name, await weights.read(spec));
  weights.close();
  return { run, specs, values, notes: weights.notes };
}

for (const kind of ["adapters-seq-bn", "peft-lora", "peft-dora", "peft-roberta-ia3"]) {
  Deno.test(`${kind}: training goes on from what was trained`, async () => {
    const { run, specs, values, notes } = await startOf(kind, names, names);
    let own = 0;
    for (const { name, role } of specs) {
      const stored = run.weights.get(name)?.data;
      if (stored !== undefined) assert.deepEqual(values.get(name), stored, name);
      else assert.ok(values.get(name), `${name} comes from the base`);
      if (role === "peft") {
        assert.ok(stored, name);
        own++;
      }
    }
    assert.ok(own > 0);
    assert.deepEqual(notes, ["The classifier of 5 classes comes from a."]);
  });
}

Deno.test("a continued classifier is in the data's order, and left out where names differ", async () => {
  const order = [4, 2, 0, 1, 3];
  const permuted = await startOf("peft-lora", order.map((row) => names[row]), names);
  const stored = permuted.run.weights.get("classifier.bias")!.data;
  assert.deepEqual(
    permuted.values.get("classifier.bias"),
    stored.map((_, at) => stored[order[at]]),
  );
  assert.notDeepEqual(permuted.values.get("classifier.bias"), stored);
  const width = permuted.run.weights.get("classifier.weight")!.shape[1];
  const row = permuted.values.get("classifier.weight")!.slice(0, width);
  const whole = permuted.run.weights.get("classifier.weight")!.data;
  assert.deepEqual(row, whole.slice(order[0] * width, (order[0] + 1) * width));

  for (
    const [known, why] of [[undefined, /does not say/], [
      names,
      /other names .*none for rage/,
    ]] as const
  ) {
    const other = await startOf("peft-lora", [...names.slice(1), "rage"], known && [...known]);
    assert.equal(other.values.get("classifier.bias"), undefined);
    assert.match(other.notes[0], /^The classifier of a .*: it is left out\.$/);
    assert.match(other.notes[0], why);
    assert.match(other.notes.at(-1)!, /one for 5 classes starts new\.$/);
    assert.ok(
      [...other.values.keys()].some((name) => /lora/i.test(name) && other.values.get(name)),
    );
  }
});
