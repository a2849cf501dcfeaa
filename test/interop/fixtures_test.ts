/** What PEFT, AdapterHub and transformers saved gives the logits that they compute with it: see README.md. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { testDevice } from "../models/device.ts";
import { expectedOf, kindsIn, logitsOf, runOf, tolerance, worst } from "./kinds.ts";

const folder = join(import.meta.dirname!, "fixtures");

for (const kind of kindsIn(folder)) {
  Deno.test(`${kind}: the logits of the program that saved it`, async () => {
    const expected = await expectedOf(folder, kind);
    const names = Object.keys(expected.logits);
    assert.ok(names.length > 0);
    for (const name of names) {
      const run = await runOf(folder, kind, name, expected);
      const logits = await logitsOf(await testDevice(), run, expected.sentences);
      const error = worst(logits, expected.logits[name]);
      assert.ok(error < tolerance, `${name}, made with ${expected.made_with}, is off by ${error}`);
    }
  });
}
