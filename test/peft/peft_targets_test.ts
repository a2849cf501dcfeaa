/** Which layers the config of a PEFT folder means, in every way in which PEFT says it. */
import assert from "node:assert/strict";
import { loraDefaults } from "../../models/peft/lora.ts";
import { PeftFields } from "../../models/peft/peft_folder.ts";
import { ia3ModulesIn, targetsIn } from "../../models/peft/peft_targets.ts";
import { folderTest } from "../files/temporary.ts";
import {
  change,
  config as bert,
  configOf,
  distinctWeights,
  readRun,
  requestOf,
  save,
} from "./folders.ts";

const distilbert = await configOf("distilbert-full");
const fieldsOf = (fields: Record<string, unknown>) => new PeftFields("folder", fields);
const lora = (fields: Record<string, unknown>, encoder = bert) =>
  targetsIn(fieldsOf(fields), encoder);
const layer = (number: number, name: string) => `bert.encoder.layer.${number}.${name}`;

Deno.test("an expression is one of whole names, and what it means has the shortest names", () => {
  assert.deepEqual(lora({ target_modules: ".*(query|value)" }), ["query", "value"]);
  assert.throws(() => lora({ target_modules: "query" }), /that is no linear layer of bert/);
});

Deno.test("layers of one number, or of one place, have their whole names", () => {
  assert.deepEqual(lora({ target_modules: String.raw`.*\.1\..*\.(query|key)` }), [
    layer(1, "attention.self.query"),
    layer(1, "attention.self.key"),
  ]);
  // `output.dense` by itself would mean attention's as well.
  assert.deepEqual(lora({ target_modules: String.raw`.*\d\.output\.dense` }), [
    layer(0, "output.dense"),
    layer(1, "output.dense"),
  ]);
});

Deno.test("all-linear, in small letters or large, is every layer but the head's", () => {
  const all = [
    "query",
    "key",
    "value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
    "pooler.dense",
  ];
  assert.deepEqual(lora({ target_modules: "all-linear" }), all);
  assert.deepEqual(lora({ target_modules: "All-Linear" }), all);
  assert.deepEqual(lora({ target_modules: "all-linear" }, distilbert), [
    "q_lin",
    "k_lin",
    "v_lin",
    "out_lin",
    "lin1",
    "lin2",
  ]);
});

Deno.test("what is excluded, by names or by an expression, is no target", () => {
  const targets = ["query", "key", "value"];
  assert.deepEqual(lora({ target_modules: targets, exclude_modules: ["key"] }), ["query", "value"]);
  const none = { target_modules: targets, exclude_modules: [] };
  assert.deepEqual(lora(none), targets);
  assert.deepEqual(lora({ target_modules: ["query"], exclude_modules: ".*layer.0.*" }), [
    layer(1, "attention.self.query"),
  ]);
});

Deno.test("IA³'s feed-forward modules are names among its targets, as PEFT wants them", () => {
  const expressions = { target_modules: ".*(key|dense)", feedforward_modules: ".*output.dense" };
  const { targets, feedforward } = ia3ModulesIn(fieldsOf(expressions), bert);
  assert.deepEqual(feedforward, ["attention.output.dense", "output.dense"]);
  assert.deepEqual(targets, ["key", "intermediate.dense", "pooler.dense", ...feedforward]);
});

folderTest("a folder's usual targets are the usual ones, however it names them", async (folder) => {
  const method = loraDefaults(2);
  await save(folder, requestOf(method, distinctWeights(method)));
  await change(folder, "adapter_config.json", { target_modules: ".*self.(query|value)" });
  assert.deepEqual((await readRun(folder, bert)).method, method);
});
