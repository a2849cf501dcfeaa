/** A plan against the model that it is for. */
import assert from "node:assert/strict";
import { parseFlags } from "../../cli/train/flags.ts";
import { fitToModel, planRuns } from "../../cli/train/plan.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";

Deno.test("a plan is fitted to the model, or refused", () => {
  const parse = (...args: string[]) => {
    const parsed = parseFlags(args);
    assert.ok(parsed.kind === "flags");
    return parsed.flags;
  };
  const planOf = (...args: string[]) => planRuns(parse(...args));
  const config = { ...bertBaseUncased, maxPositions: 128 };
  const fitted = fitToModel(planOf(), parse(), config, "tiny");
  assert.ok(fitted.runs.every((run) => run.hyperparameters.maxLength === 128));
  const long = ["--max_length", "256"];
  assert.throws(
    () => fitToModel(planOf(...long), parse(...long), config, "tiny"),
    /256 is more than the 128 positions of tiny/,
  );
  const refused: [args: string[], message: RegExp][] = [
    [
      ["--lora_target_modules", "query,nothing"],
      /^--lora_target_modules: No linear layer is called "nothing"\. There are query, key, value, /,
    ],
    [
      ["--lora_layers", "0,12"],
      /^--lora_layers: There is no layer 12: the model has layers 0 to 11\.$/,
    ],
    [
      ["--lora_modules_to_save", "pool"],
      /^--lora_modules_to_save: No module is called "pool"\. There are bert, .*, pooler, classifier\.$/,
    ],
    [
      ["--lora_target_modules", "pooler", "--lora_layers", "1,0"],
      /^--lora_target_modules: No layer is called pooler within the layers 1, 0: LoRA changes none\.$/,
    ],
    [
      ["--lora_modules_to_save", "encoder"],
      /^--lora_target_modules: No layer is called query or value outside encoder: LoRA changes none\.$/,
    ],
    [
      ["--method", "ia3", "--ia3_target_modules", "querry"],
      /^--ia3_target_modules: No linear layer is called "querry"\. There are query, key, value, /,
    ],
    [
      ["--method", "ia3", "--ia3_feedforward_modules", "query"],
      /^--ia3_feedforward_modules: "query" is none of the layers that IA3 scales: key, value, output\.dense\.$/,
    ],
  ];
  for (const [args, message] of refused) {
    assert.throws(() => fitToModel(planOf(...args), parse(...args), config, "tiny"), (error) => {
      assert.ok(error instanceof UserError && error.exitCode === 2);
      assert.match(error.message, message);
      return true;
    });
  }
});
