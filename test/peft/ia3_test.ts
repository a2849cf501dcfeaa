/** IA³'s two lists of modules: PEFT refuses a folder whose feed-forward modules are not among its targets. */
import assert from "node:assert/strict";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { declareModel } from "../../models/encoders/mod.ts";
import { ia3 } from "../../models/peft/ia3.ts";
import { SettingError } from "../../models/peft/method.ts";
import { folderTest } from "../files/temporary.ts";
import { config, configOf, distinctWeights, goldenRequest, readRun, save } from "./folders.ts";

const distilbert = await configOf("distilbert-full");

Deno.test("feed-forward modules that are not asked for are the usual one, if it is targeted", () => {
  /** The names of the layers whose input is scaled, and the run's. */
  const feedforward = (targets?: string[], given?: string[]) => {
    const [method] = ia3.plan({ ia3_target_modules: targets, ia3_feedforward_modules: given });
    const { specs } = declareModel(config, 2, ia3.wrap(ia3.fit(method, config), config));
    const scaled = specs.filter(({ name, shape }) => name.includes("layer.1.") && shape[0] === 1);
    const names = scaled.map(({ name }) => /layer\.1\.(.*)\.ia3_l$/.exec(name)?.[1]);
    return [names, ia3.runName(method)];
  };
  const outputs = ["attention.output.dense", "output.dense"];
  assert.deepEqual(feedforward(), [outputs, "ia3"]);
  assert.deepEqual(feedforward(["query"]), [[], "ia3-query"]);
  assert.deepEqual(feedforward(["query", "output"]), [outputs, "ia3-query+output"]);
  assert.deepEqual(feedforward(["key", "output.dense"]), [outputs, "ia3-key+output.dense"]);
  assert.deepEqual(feedforward(["key", "attention.output.dense"]), [
    ["attention.output.dense"],
    "ia3-key+attention.output.dense",
  ]);
  assert.deepEqual(feedforward(["output"], []), [[], "ia3-output-ff_none"]);
  const both = ["query", "intermediate"];
  assert.deepEqual(feedforward(both, both), [
    ["attention.self.query", "intermediate.dense"],
    "ia3-query+intermediate-ff_query+intermediate",
  ]);
});

Deno.test("the usual choice is PEFT's: output.dense is attention's too, lin2 the feed-forward's alone", () => {
  /** Where a layer's vectors are, and their shapes. */
  const vectors = (model: typeof config) => {
    const [method] = ia3.plan({});
    const { specs } = declareModel(model, 2, ia3.wrap(ia3.fit(method, model), model));
    return specs.flatMap(({ name, shape }) => {
      const module = /layer\.1\.(.*)\.ia3_l$/.exec(name)?.[1];
      return module === undefined ? [] : `${module} [${shape.join(", ")}]`;
    });
  };
  const bert = [config.hiddenSize, config.intermediateSize];
  const distil = [distilbert.hiddenSize, distilbert.intermediateSize];
  assert.deepEqual(vectors(config).toSorted(), [
    `attention.output.dense [1, ${bert[0]}]`,
    `attention.self.key [${bert[0]}, 1]`,
    `attention.self.value [${bert[0]}, 1]`,
    `output.dense [1, ${bert[1]}]`,
  ]);
  assert.deepEqual(vectors(distilbert).toSorted(), [
    `attention.k_lin [${distil[0]}, 1]`,
    `attention.v_lin [${distil[0]}, 1]`,
    `ffn.lin2 [1, ${distil[1]}]`,
  ]);
});

Deno.test("a feed-forward module that is no target is refused", () => {
  const fit = (targetModules: string[], feedforwardModules: string[], model = config) =>
    ia3.fit({ method: "ia3", targetModules, feedforwardModules }, model);
  fit(["key", "output"], ["output.dense"]);
  fit(["key", "lin2"], ["output"], distilbert);
  assert.throws(() => fit(["key", "dense"], ["output"]), (error) => {
    assert(error instanceof SettingError, String(error));
    assert.equal(error.setting, "ia3_feedforward_modules");
    assert.match(
      error.message,
      /^"output\.dense" is none of the layers that IA3 scales: key, dense/,
    );
    return true;
  });
});

folderTest("both lists are written by the names by which they were read", async (folder) => {
  const named = {
    method: "ia3" as const,
    // The usual targets, by a name of their own.
    targetModules: ["k_lin", "v_lin", "ffn.lin2"],
    feedforwardModules: ["v_lin", "ffn.lin2"],
  };
  const weights = distinctWeights(named, distilbert);
  await save(folder, goldenRequest("distilbert-full", distilbert, named, weights));
  const { method } = await readRun(folder, distilbert);
  assert.deepEqual(method, named);
  await save(folder, goldenRequest("distilbert-full", distilbert, method, weights));
  const fields = await readJsonObject(hostFolder(folder), "adapter_config.json");
  assert.deepEqual(fields.target_modules, named.targetModules);
  assert.deepEqual(fields.feedforward_modules, named.feedforwardModules);
});
