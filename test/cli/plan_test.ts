import assert from "node:assert/strict";
import { parseFlags } from "../../cli/flags.ts";
import { configLabel, fitToModel, methodLabel, type Plan, planRuns } from "../../cli/plan.ts";
import { bertBaseUncased } from "../../models/bert/config.ts";
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
      warmupSteps: 100,
      weightDecay: 0.01,
      maxLength: 512,
      maxGradNorm: 1,
      seed: 42,
      frozenDtype: "f32",
      matmulPrecision: "f32",
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
    const expected = { full: 2e-5, lora: 5e-4, adapter: 1e-4 }[method.method];
    assert.equal(hyperparameters.learningRate, expected);
    assert.equal(hyperparameters.seed, 7);
  }
});

Deno.test("flags without effect are warned of, by name", () => {
  assert.deepEqual(planOf("--method", "full", "--rank", "8").warnings, [
    "--rank has no effect with --method full: it belongs to lora.",
  ]);
  assert.deepEqual(planOf("--method", "full", "--frozen_dtype", "bf16").warnings, [
    "--frozen_dtype has no effect with --method full: nothing is frozen.",
  ]);
  assert.deepEqual(planOf("--frozen_dtype", "bf16").warnings, []);
  const { warnings } = planOf(
    ...["--method", "lora", "--size", "64", "--adapter_placement", "output", "--overwrite"],
    ...["--learning_rate", "full=1e-3"],
  );
  assert.deepEqual(
    warnings.map((warning) => warning.split(" ")[0]),
    ["--size", "--adapter_placement", "--learning_rate", "--overwrite"],
  );
  assert.deepEqual(planOf("--method", "lora", "--rank", "8", "--use_rslora").warnings, []);
});

Deno.test("two data sets at once are wrong use", () => {
  assert.throws(() => planOf("--use_sample", "--dataset", "x.csv"), (error) => {
    assert.ok(error instanceof UserError && error.exitCode === 2);
    return true;
  });
});

Deno.test("a plan is fitted to the model, or refused", () => {
  const parse = (...args: string[]) => {
    const parsed = parseFlags(args);
    assert.ok(parsed.kind === "flags");
    return parsed.flags;
  };
  const config = { ...bertBaseUncased, maxPositions: 128 };
  const fitted = fitToModel(planOf(), parse(), config, "tiny");
  assert.ok(fitted.runs.every((run) => run.hyperparameters.maxLength === 128));
  const long = ["--max_length", "256"];
  assert.throws(
    () => fitToModel(planOf(...long), parse(...long), config, "tiny"),
    /256 is more than the 128 positions of tiny/,
  );
  const targets = ["--lora_target_modules", "query,nothing"];
  assert.throws(
    () => fitToModel(planOf(...targets), parse(...targets), config, "tiny"),
    (error) => error instanceof UserError && error.exitCode === 2 && /nothing/.test(error.message),
  );
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
