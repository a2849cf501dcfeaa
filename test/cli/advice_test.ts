import assert from "node:assert/strict";
import { adviceFor } from "../../cli/shared/advice.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { type Remedy, UserError } from "../../models/errors.ts";
import { runTrain } from "./command.ts";

const said: { [Kind in Remedy["kind"]]: [Extract<Remedy, { kind: Kind }>, RegExp] } = {
  otherModel: [{ kind: "otherModel" }, /^Give --model_name a folder .* or mini, which is built in/],
  useModel: [{ kind: "useModel", name: "converted" }, /--model_name converted\.$/],
  otherDataset: [{ kind: "otherDataset" }, /^Name a file .*\.parquet.* --use_sample\.$/],
  chooseDataset: [
    { kind: "chooseDataset", example: "org/data/a.csv" },
    /^Name one of them: --dataset org\/data\/a\.csv$/,
  ],
  trainingPartAlone: [{ kind: "trainingPartAlone" }, /^--split_by ratio takes the training part/],
  nameColumn: [{ kind: "nameColumn", column: "label" }, /holds the labels with --label_column\.$/],
  nameEncoding: [{ kind: "nameEncoding", likely: "gbk" }, /^Read it with --encoding gbk\.$/],
  plainQuotes: [{ kind: "plainQuotes", rows: 36 }, /^With --quoting none, .* 36 rows are read\.$/],
  otherColumns: [{ kind: "otherColumns" }, /with --text_column and --label_column\.$/],
  moreSamples: [{ kind: "moreSamples", least: 6 }, /^Give --max_samples 6 or more\.$/],
  otherFrozenDtype: [{ kind: "otherFrozenDtype" }, /^Take another --frozen_dtype\.$/],
  sameRun: [{ kind: "sameRun" }, /^Put that back, or begin it again with --overwrite\.$/],
  lowerLearningRate: [
    { kind: "lowerLearningRate", rate: 0.1 },
    /^Lower --learning_rate \(0\.1\) or check the weights\.$/,
  ],
  otherPlace: [{ kind: "otherPlace", full: true }, /^Free some space, .* with --output_dir\.$/],
};

Deno.test("every remedy is said in the words of flags that exist", () => {
  for (const [remedy, sentence] of Object.values(said)) {
    const advice = adviceFor(new UserError("Something.", { remedy }));
    assert.match(advice ?? "", sentence);
    const flags = advice?.match(/--\w+/g) ?? [];
    assert(flags.length > 0, advice);
    const help = parseFlags(["--help"]);
    assert(help.kind === "help");
    for (const flag of flags) assert(help.text.includes(flag), flag);
  }
});

Deno.test("an error without a remedy has the one of its cause, or none", () => {
  const inner = new UserError("Inner.", { remedy: { kind: "otherFrozenDtype" } });
  const outer = new UserError("Outer.", { cause: new Error("Between.", { cause: inner }) });
  assert.equal(adviceFor(outer), adviceFor(inner));
  const both = new UserError("Outer.", { cause: inner, remedy: { kind: "otherModel" } });
  assert.match(adviceFor(both) ?? "", /--model_name/);
  assert.equal(adviceFor(new UserError("Nothing helps.")), undefined);
  assert.equal(adviceFor(new Error("Ours.")), undefined);
  assert.equal(adviceFor("thrown"), undefined);
});

Deno.test("the command says the advice after the error", async () => {
  const { code, stderr } = await runTrain(["--dry_run", "--model_name", "nonsense"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^Error: There is no model "nonsense": .*org\/name\. Give --model_name a folder .*built in\.\n$/,
  );
});

Deno.test("what an error quotes of a file does nothing to the terminal", async () => {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await Deno.writeTextFile(path, '{"text": \x1b[31m}\n');
    const { code, stderr } = await runTrain([
      "--dry_run",
      "--model_name",
      "mini",
      "--dataset",
      path,
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /line 1 is not JSON: .*\\u001b\[31m/);
    assert.ok(!stderr.includes("\x1b"));
  } finally {
    await Deno.remove(path);
  }
});
