/** The names of target modules, as users give them and as PEFT's folders have them. */
import assert from "node:assert/strict";
import { SettingError } from "../../models/peft/method.ts";
import { areUsual, knownTargets, namesModule, targetNames } from "../../models/peft/targets.ts";
import { config as bert, configOf } from "./folders.ts";

const roberta = await configOf("roberta-full");
const distilbert = await configOf("distilbert-full");
const parts = ["query", "key", "value", "attentionOutput", "intermediate", "output"];
const setting = "lora_target_modules";

Deno.test("a name means the modules that are it, or end with it after a dot", () => {
  assert(namesModule(["query", "dense"], "bert.pooler.dense"));
  assert(namesModule(["output.dense"], "bert.encoder.layer.0.attention.output.dense"));
  assert(namesModule(["classifier"], "classifier"));
  assert(!namesModule(["classifier"], "pre_classifier"));
  assert(!namesModule(["query"], "bert.encoder.layer.0.attention.self.query.weight"));
  assert(!namesModule([], "query"));
});

Deno.test("a part's name stands for the encoder's own, by the name that PEFT's users know", () => {
  const ofBert = [
    "query",
    "key",
    "value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
  ];
  assert.deepEqual(targetNames(bert, parts, setting), ofBert);
  assert.deepEqual(targetNames(roberta, parts, setting), ofBert);
  assert.deepEqual(targetNames(distilbert, parts, setting), [
    "q_lin",
    "k_lin",
    "v_lin",
    "out_lin",
    "lin1",
    "lin2",
  ]);
  assert.deepEqual(targetNames(bert, ["pooler"], setting), ["pooler.dense"]);
  assert.deepEqual(targetNames(distilbert, ["ffn.lin1", "query", "q_lin"], setting), [
    "ffn.lin1",
    "q_lin",
  ]);
});

Deno.test("a name that no layer has is refused with those that there are", () => {
  const fails = (config: typeof bert, names: string[], message: string) =>
    assert.throws(() => targetNames(config, names, setting), (error) => {
      assert(error instanceof SettingError, String(error));
      assert.equal(error.setting, setting);
      assert.equal(error.message, message);
      return true;
    });
  fails(
    bert,
    ["query", "q_lin"],
    'No linear layer is called "q_lin". There are query, key, value, attention.output.dense, ' +
      "intermediate.dense, output.dense, pooler.dense.",
  );
  fails(
    distilbert,
    ["pooler"],
    'No linear layer is called "pooler". There are q_lin, k_lin, v_lin, out_lin, lin1, lin2.',
  );
  // A head's own layers are no method's.
  fails(
    roberta,
    ["out_proj"],
    'No linear layer is called "out_proj". There are query, key, value, attention.output.dense, ' +
      "intermediate.dense, output.dense.",
  );
});

Deno.test("a folder's names are the usual ones where they mean the same layers", () => {
  const are = (config: typeof bert, names: string[]) =>
    areUsual(config, names, ["query", "value"], setting);
  assert(are(bert, ["value", "query"]));
  assert(are(bert, ["self.query", "value", "q_lin"]));
  assert(are(distilbert, ["v_lin", "q_lin"]));
  assert(are(distilbert, ["attention.q_lin", "v_lin"]));
  assert(!are(distilbert, ["v_lin", "k_lin", "q_lin"]));
  assert(!are(distilbert, ["v_lin"]));
  assert(!are(bert, []));
  assert.deepEqual(knownTargets(distilbert, ["v_lin", "k_lin", "query"]), ["v_lin", "k_lin"]);
  assert.deepEqual(knownTargets(bert, ["nothing"]), []);
});
