import assert from "node:assert/strict";
import { parseFlags } from "../../cli/train/flags.ts";
import {
  configLabel,
  fitToModel,
  methodLabel,
  type Plan,
  planRuns,
  rateNote,
} from "../../cli/train/plan.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";

function planOf(...args: string[]): Plan {
  const parsed = parseFlags(args);
  assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
  return planRuns(parsed.flags);
}

const names = (plan: Plan) => plan.runs.map((run) => run.name);

Deno.test("without flags the original's seven runs come in its order", () => {
  const plan = planOf();
  assert.deepEqual(names(plan), [
    "full",
    "lora-r4",
    "lora-r8",
    "lora-r16",
    "adapter-64",
    "adapter-128",
    "adapter-256",
  ]);
  assert.deepEqual(plan.warnings, []);
  for (const { hyperparameters } of plan.runs) {
    assert.deepEqual(hyperparameters, {
      learningRate: 2e-5,
      batchSize: 16,
      gradientAccumulationSteps: 1,
      epochs: 5,
      scheduler: "linear",
      warmupSteps: 100,
      weightDecay: 0.01,
      maxLength: 512,
      maxGradNorm: 1,
      seed: 42,
      frozenDtype: "f32",
      matmulPrecision: "f32",
      computeDtype: "f32",
    });
  }
});

Deno.test("a method alone runs its configurations, lists choose them", () => {
  assert.deepEqual(names(planOf("--method", "full")), ["full"]);
  assert.deepEqual(names(planOf("--method", "lora", "--rank", "2,32")), ["lora-r2", "lora-r32"]);
  assert.deepEqual(names(planOf("--method", "adapter", "--size", "64")), ["adapter-64"]);
  assert.deepEqual(
    names(planOf("--method", "adapter", "--size", "8,16", "--adapter-placement", "houlsby")),
    ["adapter-8-houlsby", "adapter-16-houlsby"],
  );
  assert.deepEqual(names(planOf("--method", "ia3")), ["ia3"]);
});

Deno.test("what differs from LoRA's and IA3's defaults is in the run's name and in the table", () => {
  const told = (...args: string[]) =>
    planOf(...args).runs.map(({ name, method }) => `${name}: ${configLabel(method)}`);
  const lora = ["--method", "lora", "--rank", "8"];
  assert.deepEqual(told(...lora), ["lora-r8: r=8"]);
  assert.deepEqual(told(...lora, "--use_dora"), ["lora-r8-dora: r=8, dora"]);
  assert.deepEqual(told(...lora, "--lora_layers", "0,3"), ["lora-r8-l0_3: r=8, layers=0+3"]);
  assert.deepEqual(told(...lora, "--lora_modules_to_save", "pooler"), [
    "lora-r8-save_pooler: r=8, +pooler",
  ]);
  assert.deepEqual(told(...lora, "--lora_bias", "all"), ["lora-r8-bias_all: r=8, bias=all"]);
  assert.deepEqual(told("--method", "ia3", "--ia3_target_modules", "key,output.dense"), [
    "ia3-key+output.dense: key+output.dense",
  ]);
  assert.deepEqual(told("--method", "ia3", "--ia3_feedforward_modules", "output.dense"), [
    "ia3-ff_output.dense: ff+output.dense",
  ]);
});

Deno.test("LoRA's alpha follows the rank unless it is a number", () => {
  const alphas = (...args: string[]) =>
    planOf("--method", "lora", ...args).runs.map(({ method }) =>
      method.method === "lora" ? method.alpha : NaN
    );
  assert.deepEqual(alphas(), [8, 16, 32]);
  assert.deepEqual(alphas("--lora_alpha", "2r"), [8, 16, 32]);
  assert.deepEqual(alphas("--lora_alpha", "0.5r"), [2, 4, 8]);
  assert.deepEqual(alphas("--lora_alpha", "r"), [4, 8, 16]);
  assert.deepEqual(alphas("--lora_alpha", "16"), [16, 16, 16]);
  assert.deepEqual(
    names(planOf("--method", "lora", "--lora_alpha", "16", "--use_rslora", "--rank", "4,8")),
    ["lora-r4-a16-rslora", "lora-r8-rslora"],
  );
});

Deno.test("a learning rate may differ by method, all else is shared", () => {
  const plan = planOf("--learning_rate", "lora=5e-4,adapter=1e-4", "--seed", "7");
  for (const { method, hyperparameters } of plan.runs) {
    const expected: Record<string, number> = { full: 2e-5, lora: 5e-4, adapter: 1e-4 };
    assert.equal(hyperparameters.learningRate, expected[method.method]);
    assert.equal(hyperparameters.seed, 7);
  }
  const [ia3] = planOf("--method", "ia3", "--learning_rate", "full=2e-5,ia3=1e-2").runs;
  assert.equal(ia3.hyperparameters.learningRate, 0.01);
});

Deno.test("flags without effect are warned of, by name", () => {
  assert.deepEqual(planOf("--method", "full", "--rank", "8").warnings, [
    "--rank has no effect with --method full: it belongs to lora.",
  ]);
  assert.deepEqual(planOf("--method", "full", "--frozen_dtype", "bf16").warnings, [
    "--frozen_dtype has no effect with --method full: nothing is frozen.",
  ]);
  assert.deepEqual(planOf("--frozen_dtype", "bf16").warnings, []);
  const dtypesOf = (...args: string[]) => {
    const { frozenDtype, computeDtype } = planOf(...args).runs[0].hyperparameters;
    return [computeDtype, frozenDtype];
  };
  assert.deepEqual(dtypesOf("--compute_dtype", "f16"), ["f16", "f16"]);
  assert.deepEqual(dtypesOf("--compute_dtype", "f16", "--frozen_dtype", "f32"), ["f16", "f32"]);
  assert.deepEqual(dtypesOf("--frozen_dtype", "f16"), ["f32", "f16"]);
  const { warnings } = planOf(
    ...["--method", "lora", "--size", "64", "--adapter_placement", "output", "--overwrite"],
    ...["--learning_rate", "full=1e-3"],
  );
  assert.deepEqual(
    warnings.map((warning) => warning.split(" ")[0]),
    ["--size", "--adapter_placement", "--learning_rate", "--overwrite"],
  );
  assert.deepEqual(planOf("--method", "lora", "--rank", "8", "--use_rslora").warnings, []);
  assert.deepEqual(planOf("--ia3_target_modules", "key").warnings, [
    "--ia3_target_modules has no effect with --method all: it belongs to ia3.",
  ]);
  assert.deepEqual(planOf("--lr_scheduler", "constant", "--warmup_ratio", "0.1").warnings, [
    "--warmup_ratio has no effect with --lr_scheduler constant: constant_with_warmup has a warm-up.",
  ]);
  assert.deepEqual(planOf("--lr_scheduler", "constant").warnings, []);
  assert.deepEqual(planOf("--method", "ia3", "--use_dora").warnings, [
    "--use_dora has no effect with --method ia3: it belongs to lora.",
  ]);
});

Deno.test("mini has a learning rate of its own, for the methods that are given none", () => {
  const ratesOf = (model: string, ...args: string[]) => {
    const parsed = parseFlags(args);
    assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
    const fitted = fitToModel(planRuns(parsed.flags), parsed.flags, bertBaseUncased, model);
    const rates = fitted.runs.map(({ hyperparameters }) => hyperparameters.learningRate);
    return { rates: [...new Set(rates)], note: rateNote(fitted, parsed.flags, model) };
  };
  const { rates: [own, ...others], note } = ratesOf("mini");
  assert.ok(own > 2e-5 && others.length === 0, `${own}, ${others}`);
  assert.match(
    note!,
    /^Learning rate \de-3, which suits mini; --learning_rate 2e-5 is the original's$/,
  );
  assert.deepEqual(ratesOf("bert-base-uncased"), { rates: [2e-5], note: undefined });
  assert.deepEqual(ratesOf("mini", "--learning_rate", "1e-4"), { rates: [1e-4], note: undefined });
  assert.deepEqual(ratesOf("mini", "--learning_rate", "full=1e-4"), { rates: [1e-4, own], note });
  const named = ["--method", "ia3", "--learning_rate", "lora=5e-4", "--model_name", "mini"];
  assert.match(planOf(...named).warnings[0], /no rate for ia3: the default \de-3 is used/);
});

Deno.test("a learning rate by name that no run has is warned of, one rate for all is not", () => {
  assert.deepEqual(planOf("--learning_rate", "ia3=1e-2,lora=5e-4").warnings, [
    "--learning_rate ia3=1e-2 has no effect with --method all.",
  ]);
  assert.deepEqual(planOf("--method", "ia3", "--learning_rate", "lora=5e-4").warnings, [
    "--learning_rate names no rate for ia3: the default 2e-5 is used.",
  ]);
  assert.deepEqual(planOf("--method", "lora", "--learning_rate", "full=2e-5,lora=5e-4").warnings, [
    "--learning_rate full=2e-5 has no effect with --method lora.",
  ]);
  for (const method of ["all", "lora", "ia3"]) {
    assert.deepEqual(planOf("--method", method, "--learning_rate", "1e-3").warnings, []);
  }
});

Deno.test("what is not used is no hyperparameter, and steps go before epochs", () => {
  const settingsOf = (...args: string[]) => {
    const { runs: [{ hyperparameters }], warnings } = planOf("--method", "full", ...args);
    const { maxSteps, evalSteps, earlyStoppingPatience, labelSmoothing } = hyperparameters;
    const given = { maxSteps, evalSteps, earlyStoppingPatience, labelSmoothing };
    return [
      hyperparameters.epochs,
      ...Object.values(given).map((value) => value ?? null),
      warnings,
    ];
  };
  assert.deepEqual(
    settingsOf(
      ...["--num_epochs", "3", "--eval_steps", "50", "--early_stopping_patience", "2"],
      ...["--label_smoothing", "0.1"],
    ),
    [3, null, 50, 2, 0.1, []],
  );
  assert.deepEqual(settingsOf("--label_smoothing", "0"), settingsOf());
  assert.deepEqual(settingsOf("--max_steps", "70"), [5, 70, null, null, null, []]);
  assert.deepEqual(settingsOf("--max_steps", "70", "--num_epochs", "3"), [5, 70, null, null, null, [
    "--num_epochs has no effect with --max_steps: epochs repeat until the last step.",
  ]]);
});

Deno.test("class weights are a word, or a file with a number for each label", async () => {
  const weightsOf = (given: string) =>
    planOf("--class_weights", given).runs[0].hyperparameters.classWeights;
  assert.equal(weightsOf("balanced"), "balanced");
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const refused = async (content: string, message: RegExp) => {
      await Deno.writeTextFile(path, content);
      assert.throws(() => weightsOf(path), (error) => {
        assert.ok(error instanceof UserError && error.exitCode === 1);
        assert.ok(error.message.startsWith(`--class_weights ${path}: `), error.message);
        assert.match(error.message, message);
        assert.match(error.message, /It takes balanced, or a JSON file .*\.$/);
        return true;
      });
    };
    await Deno.writeTextFile(path, `{"joy": 2, "0": 0.5}`);
    assert.deepEqual(weightsOf(path), { joy: 2, 0: 0.5 });
    await refused(`{"joy": 2,}`, /JSON/);
    await refused(`{"joy": "2"}`, /"joy" has "2" for a number/);
    await refused(`{"joy": null}`, /"joy" has null/);
    await refused("[1, 2]", /the file holds no object/);
  } finally {
    await Deno.remove(path);
  }
  assert.throws(() => weightsOf(path), /there is no such file\./);
  assert.throws(() => weightsOf("balance"), /--class_weights balance: there is no such file/);
});

Deno.test("two data sets at once are wrong use", () => {
  for (
    const args of [
      ["--use_sample", "--dataset", "x.csv"],
      ["--warmup_ratio", "0.1", "--warmup_steps", "0"],
    ]
  ) {
    assert.throws(() => planOf(...args), (error) => {
      assert.ok(error instanceof UserError && error.exitCode === 2);
      assert.ok(error.message.includes(`${args[0]} `), error.message);
      return true;
    });
  }
});

Deno.test("IA3's runs are called by what differs from the usual", () => {
  const fitted = (...args: string[]) => {
    const parsed = parseFlags(["--method", "ia3", ...args]);
    assert.ok(parsed.kind === "flags");
    const plan = fitToModel(planRuns(parsed.flags), parsed.flags, bertBaseUncased, "bert");
    const [{ name, method }] = plan.runs;
    assert.ok(method.method === "ia3");
    return [name, configLabel(method)];
  };
  const targets = "--ia3_target_modules";
  assert.deepEqual(fitted(), ["ia3", "-"]);
  assert.deepEqual(fitted(targets, "key,query"), ["ia3-key+query", "key+query"]);
  assert.deepEqual(fitted(targets, "key,output.dense"), [
    "ia3-key+output.dense",
    "key+output.dense",
  ]);
  assert.deepEqual(fitted(targets, "key,value", "--ia3_feedforward_modules", "value"), [
    "ia3-key+value-ff_value",
    "key+value, ff+value",
  ]);
});

Deno.test("tables name method and configuration as the original does", () => {
  const labels = planOf("--adapter_placement", "output", "--lora_dropout", "0").runs
    .map(({ method }) => `${methodLabel(method)} ${configLabel(method)}`);
  assert.deepEqual(labels, [
    "Full -",
    "LoRA r=4, dropout=0",
    "LoRA r=8, dropout=0",
    "LoRA r=16, dropout=0",
    "Adapter size=64, output",
    "Adapter size=128, output",
    "Adapter size=256, output",
  ]);
});
