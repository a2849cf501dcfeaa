import assert from "node:assert/strict";
import fc from "fast-check";
import { type Flags, parseFlags } from "../../cli/train/flags.ts";
import { methods } from "../../models/peft/methods.ts";

function flagsOf(...args: string[]): Flags {
  const parsed = parseFlags(args);
  assert.equal(parsed.kind, "flags", JSON.stringify(parsed));
  assert.ok(parsed.kind === "flags");
  return parsed.flags;
}

function errorOf(...args: string[]): string {
  const parsed = parseFlags(args);
  assert.ok(parsed.kind === "error", `${args.join(" ")} was accepted`);
  return parsed.message;
}

const inSnakeCase = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

Deno.test("flags that are not given are undefined or false", () => {
  const { settings, ...others } = flagsOf();
  for (const [name, value] of Object.entries({ ...settings, ...others })) {
    assert.ok(value === undefined || value === false, `${name} is ${value}`);
  }
});

Deno.test("every flag is read, in snake_case and in kebab-case, with a space and with =", () => {
  const given: [string, string, Partial<Flags>][] = [
    ["method", "lora", { method: "lora" }],
    ["method", "ia3", { method: "ia3" }],
    ["rank", "4,8", { settings: { rank: [4, 8] } }],
    ["size", "64", { settings: { size: [64] } }],
    ["adapter_placement", "houlsby", { settings: { adapter_placement: "houlsby" } }],
    ["lora_alpha", "2r", { settings: { lora_alpha: { kind: "perRank", factor: 2 } } }],
    ["lora_alpha", "16", { settings: { lora_alpha: { kind: "value", value: 16 } } }],
    ["lora_dropout", "0.05", { settings: { lora_dropout: 0.05 } }],
    ["lora_target_modules", "query,output.dense", {
      settings: { lora_target_modules: ["query", "output.dense"] },
    }],
    ["lora_layers", "0,3", { settings: { lora_layers: [0, 3] } }],
    ["lora_modules_to_save", "pooler", { settings: { lora_modules_to_save: ["pooler"] } }],
    ["lora_bias", "lora_only", { settings: { lora_bias: "lora_only" } }],
    ["ia3_target_modules", "key,value", { settings: { ia3_target_modules: ["key", "value"] } }],
    ["ia3_feedforward_modules", "output", { settings: { ia3_feedforward_modules: ["output"] } }],
    ["model_name", "./my-model", { modelName: "./my-model" }],
    ["dataset", "org/some-data", { dataset: "org/some-data" }],
    ["text_column", "my-text", { textColumn: "my-text" }],
    ["label_column", "y", { labelColumn: "y" }],
    ["encoding", "cp932", { encoding: "shift_jis" }],
    ["quoting", "none", { quoting: "none" }],
    ["num_epochs", "3", { numEpochs: 3 }],
    ["max_steps", "100", { maxSteps: 100 }],
    ["eval_steps", "50", { evalSteps: 50 }],
    ["early_stopping_patience", "3", { earlyStoppingPatience: 3 }],
    ["label_smoothing", "0.1", { labelSmoothing: 0.1 }],
    ["class_weights", "balanced", { classWeights: "balanced" }],
    ["batch_size", "8", { batchSize: 8 }],
    ["gradient_accumulation_steps", "4", { gradientAccumulationSteps: 4 }],
    ["frozen_dtype", "bf16", { frozenDtype: "bf16" }],
    ["compute_dtype", "f16", { computeDtype: "f16" }],
    ["matmul_precision", "f16", { matmulPrecision: "f16" }],
    ["learning_rate", "2e-5", {
      learningRate: {
        rates: { full: 2e-5, lora: 2e-5, adapter: 2e-5, ia3: 2e-5 },
        given: true,
        tuned: false,
      },
    }],
    ["learning_rate", "ia3=1e-2", {
      learningRate: { rates: { ia3: 0.01 }, given: true, tuned: false },
    }],
    ["learning_rate", "tune", { learningRate: { rates: {}, given: false, tuned: true } }],
    ["learning_rate", "shared,tune", { learningRate: { rates: {}, given: true, tuned: true } }],
    ["learning_rate", "tune,shared", { learningRate: { rates: {}, given: true, tuned: true } }],
    ["learning_rate", "ia3=1e-2, tune", {
      learningRate: { rates: { ia3: 0.01 }, given: true, tuned: true },
    }],
    ["seeds", "1,2,3", { seeds: [1, 2, 3] }],
    ["learning_rate", "lora=5e-4,full=.1", {
      learningRate: { rates: { lora: 5e-4, full: 0.1 }, given: true, tuned: false },
    }],
    ["lr_scheduler", "cosine", { lrScheduler: "cosine" }],
    ["warmup_steps", "0", { warmupSteps: 0 }],
    ["warmup_ratio", "0.06", { warmupRatio: 0.06 }],
    ["max_grad_norm", "0", { maxGradNorm: 0 }],
    ["weight_decay", "0", { weightDecay: 0 }],
    ["max_length", "128", { maxLength: 128 }],
    ["max_samples", "500", { maxSamples: 500 }],
    ["seed", "0", { seed: 0 }],
    ["output_dir", "out", { outputDir: "out" }],
    ["experiment", "first try", { experiment: "first try" }],
  ];
  const base = flagsOf();
  const allWith = ({ settings, ...rest }: Partial<Flags>) => ({
    ...base,
    ...rest,
    settings: { ...base.settings, ...settings },
  });
  for (const [name, value, expected] of given) {
    for (const spelling of [name, name.replaceAll("_", "-")]) {
      assert.deepEqual(flagsOf(`--${spelling}`, value), allWith(expected));
      assert.deepEqual(flagsOf(`--${spelling}=${value}`), allWith(expected));
    }
  }
  for (const name of ["use_rslora", "use_dora"]) {
    for (const spelling of [name, name.replaceAll("_", "-")]) {
      assert.deepEqual(flagsOf(`--${spelling}`), allWith({ settings: { [name]: true } }));
    }
  }
  for (
    const name of [
      "use_sample",
      "gradient_checkpointing",
      "overwrite",
      "dry_run",
      "json",
    ]
  ) {
    const key = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    for (const spelling of [name, name.replaceAll("_", "-")]) {
      assert.deepEqual(flagsOf(`--${spelling}`), { ...base, [key]: true });
    }
  }
});

Deno.test("a wrong value is a sentence that names the flag and the value", () => {
  const wrong: [string, string][] = [
    ["--rank", "x"],
    ["--rank", "0"],
    ["--rank", "4,4"],
    ["--rank", "4,,8"],
    ["--rank", "4.5"],
    ["--size", "-64"],
    ["--batch_size", "0"],
    ["--gradient_accumulation_steps", "0"],
    ["--num_epochs", "1e99"],
    ["--learning_rate", "-1"],
    ["--learning_rate", "0"],
    ["--learning_rate", "fast"],
    ["--learning_rate", "full=1e-5,bert=1"],
    ["--learning_rate", "full=1e-5,full=1e-4"],
    ["--lora_alpha", "zr"],
    ["--lora_alpha", "-2r"],
    ["--lora_dropout", "1"],
    ["--lora_target_modules", "query,"],
    ["--lora_layers", "0,-1"],
    ["--lora_layers", "3,3"],
    ["--lora_modules_to_save", "pooler,"],
    ["--ia3_target_modules", "key value"],
    ["--ia3_feedforward_modules", ""],
    ["--weight_decay", "NaN"],
    ["--warmup_ratio", "1.5"],
    ["--max_grad_norm", "-1"],
    ["--max_steps", "0"],
    ["--eval_steps", "0"],
    ["--early_stopping_patience", "0"],
    ["--label_smoothing", "1"],
    ["--max_length", "2"],
    ["--seed", "4294967296"],
    ["--seed", "0x10"],
    ["--experiment", "a/b"],
    ["--experiment", "..\\x"],
    ["--experiment", ".."],
    ["--experiment", ""],
  ];
  for (const [flag, value] of wrong) {
    const message = errorOf(flag, value);
    assert.ok(message.startsWith(`${flag}: `), message);
    assert.ok(message.includes(`"`), message);
    assert.match(message, /\.$/);
  }
  assert.match(errorOf("--method", "prefix"), /--method: .*all, full, lora/);
  assert.match(errorOf("--adapter_placement", "top"), /shared, output/);
  assert.match(errorOf("--lr_scheduler", "steps"), /--lr_scheduler: .*linear, cosine, constant/);
  assert.match(errorOf("--lora_bias", "some"), /--lora_bias: .*none, all.* lora_only/);
  assert.match(errorOf("--learning_rate", "bert=1"), /with a method of full, lora, adapter, ia3;/);
  assert.match(errorOf("--frozen_dtype", "f64"), /--frozen_dtype: .*f32, bf16/);
  assert.match(errorOf("--compute_dtype", "bf16"), /--compute_dtype: .*f32 and f16/);
  assert.match(errorOf("--matmul_precision", "bf16"), /--matmul_precision: .*f32 and f16/);
  assert.match(errorOf("--rank"), /--rank requires/);
  assert.match(errorOf("--rank", "4", "--rank", "8"), /multiple times/);
});

Deno.test("a setting belongs to one method, and no other flag has its name", () => {
  const { settings, ...others } = flagsOf();
  const all = Object.values(methods).flatMap((method) => Object.keys(method.settings));
  assert.deepEqual([...all].sort(), Object.keys(settings).sort(), "each name once");
  const spelled = new Set(Object.keys(others).map(inSnakeCase));
  assert.deepEqual(all.filter((name) => spelled.has(name)), []);
});

Deno.test("an unknown flag suggests the nearest", () => {
  assert.match(errorOf("--lerning_rate", "1"), /--lerning_rate.*Did you mean --learning_rate\?/);
  assert.match(errorOf("--batch-sise", "1"), /--batch_size/);
  assert.match(errorOf("train"), /Unexpected .*train/);
});

Deno.test("help shows every flag and fits 80 columns", () => {
  for (const spelling of ["--help", "-h"]) {
    const parsed = parseFlags([spelling, "--rank", "8"]);
    assert.ok(parsed.kind === "help");
    for (const line of parsed.text.split("\n")) assert.ok(line.length <= 80, line);
    const { settings, ...others } = flagsOf();
    for (const name of Object.keys({ ...settings, ...others })) {
      const flag = `--${inSnakeCase(name)}`;
      assert.ok(parsed.text.includes(flag), flag);
    }
    for (const shown of ["(4,8,16)", "(2e-5)", "(boltuix/emotions-dataset)", "deno task train"]) {
      assert.ok(parsed.text.includes(shown), shown);
    }
  }
});

Deno.test("the table of docs/training.md has every flag", async () => {
  const readme = await Deno.readTextFile(new URL("../../docs/training.md", import.meta.url));
  const rows = readme.split("\n").filter((line) => line.startsWith("| `--"));
  const told = new Set(rows.flatMap((row) => row.split("|")[1].match(/--\w+/g) ?? []));
  const { settings, ...others } = flagsOf();
  for (const name of Object.keys({ ...settings, ...others })) {
    assert.ok(told.has(`--${inSnakeCase(name)}`), name);
  }
});

Deno.test("whatever is typed, parsing ends in flags, help or a sentence", () => {
  const words = fc.oneof(
    fc.string(),
    fc.constantFrom("--rank", "--learning-rate", "--", "-", "--json=", "4,8", "--size=8", "1e-3"),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 5 }), (args) => {
      const parsed = parseFlags(args);
      if (parsed.kind === "error") assert.notEqual(parsed.message, "");
    }),
    { numRuns: 200 },
  );
});
