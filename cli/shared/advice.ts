/** What to do about an error, in the words of the flags: models/ and engine/ state facts and name no flag. */
import { BindingTooLargeError, OutOfMemoryError } from "../../engine/errors.ts";
import { messageOf, type Remedy, UserError } from "../../models/errors.ts";
import { adviceForAdapter, adviceForDevice, adviceForRoom } from "./device_advice.ts";

/** The sentence that belongs after an error's message; undefined where the message says it all. */
export function adviceFor(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof UserError && at.remedy !== undefined) return sentenceFor(at.remedy);
    const advice = adviceForDevice(at);
    if (advice !== undefined) return advice;
  }
  return undefined;
}

function otherPlace({ full }: Extract<Remedy, { kind: "otherPlace" }>, flag: string): string {
  return full
    ? `Free some space, or name a folder on another disk with ${flag}.`
    : `Name another folder with ${flag}.`;
}

/** As {@link adviceFor}, with a trained run: of remedies only those whose flags the command has. */
function adviceWithRun(error: unknown, kinds: readonly Remedy["kind"][]): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof OutOfMemoryError || at instanceof BindingTooLargeError) {
      return adviceForRoom(at);
    }
    const kind = at instanceof UserError ? at.remedy?.kind : undefined;
    if (kind !== undefined && kinds.includes(kind)) return adviceFor(at);
    const advice = adviceForAdapter(at);
    if (advice !== undefined) return advice;
  }
  return undefined;
}

/** Of a file of texts; all commands that read one have these flags. */
const ofTexts = ["nameColumn", "nameEncoding", "plainQuotes"] as const;

/** As {@link adviceFor}, in the words of the flags that `deno task predict` has. */
export const adviceForPrediction = (error: unknown) =>
  adviceWithRun(error, ["otherModel", "useModel", ...ofTexts]);

/** As {@link adviceFor}, in the words of the flags that `deno task merge` has. */
export function adviceForMerge(error: unknown): string | undefined {
  const remedy = error instanceof UserError ? error.remedy : undefined;
  return remedy?.kind === "otherPlace"
    ? otherPlace(remedy, "--output")
    : adviceForPrediction(error);
}

/** As {@link adviceFor}, in the words of the flags that `deno task report` has. */
export function adviceForReport(error: unknown): string | undefined {
  const remedy = error instanceof UserError ? error.remedy : undefined;
  return remedy?.kind === "otherPlace" ? otherPlace(remedy, "--output") : undefined;
}

/** As {@link adviceFor}, in the words of the flags that `deno task pretrain` has. */
export function adviceForPretraining(error: unknown): string | undefined {
  const remedy = error instanceof UserError ? error.remedy : undefined;
  switch (remedy?.kind) {
    case "otherPlace":
      return otherPlace(remedy, "--output");
    case "otherModel":
      return "Give --teacher a folder with the model's files.";
  }
  return adviceWithRun(error, [...ofTexts, "lowerLearningRate"]);
}

/** As {@link adviceFor}, in the words of the flags that `deno task evaluate` has. */
export function adviceForEvaluation(error: unknown): string | undefined {
  const remedy = error instanceof UserError ? error.remedy : undefined;
  if (remedy?.kind === "otherPlace") return "With --no_write nothing is written.";
  return adviceWithRun(error, [
    "otherModel",
    "useModel",
    ...ofTexts,
    "otherDataset",
    "chooseDataset",
    "otherColumns",
  ]);
}

/** The message of whatever was thrown, and what to do about it where that is known. */
export function messageWithAdvice(error: unknown, advice = adviceFor): string {
  return [messageOf(error), advice(error)].filter(Boolean).join(" ");
}

function sentenceFor(remedy: Remedy): string {
  switch (remedy.kind) {
    case "otherModel":
      return `Give --model_name a folder with the model's files, or mini, which is built in.`;
    case "useModel":
      return `Then give --model_name ${remedy.name}.`;
    case "otherDataset":
      return `Name a file (.parquet, .csv, .tsv, .jsonl, .json) or a folder with one, or take the ` +
        `built-in sample with --use_sample.`;
    case "chooseDataset":
      return `Name one of them: --dataset ${remedy.example}`;
    case "trainingPartAlone":
      return `--split_by ratio takes the training part alone.`;
    case "nameColumn":
      return `Say which column holds the ${remedy.column}s with --${remedy.column}_column.`;
    case "nameEncoding":
      return remedy.likely === undefined
        ? `Say in which it is with --encoding, such as windows-1252, shift_jis or gbk.`
        : `Read it with --encoding ${remedy.likely}.`;
    case "plainQuotes":
      return `With --quoting none, quotes are characters as all others, and ${remedy.rows} rows ` +
        `are read.`;
    case "otherColumns":
      return `Write rows that have one, or name other columns with --text_column and ` +
        `--label_column.`;
    case "moreSamples":
      return `Give --max_samples ${remedy.least} or more.`;
    case "otherFrozenDtype":
      return `Take another --frozen_dtype.`;
    case "sameRun":
      return `Put that back, or begin it again with --overwrite.`;
    case "lowerLearningRate":
      return `Lower --learning_rate (${remedy.rate}) or check the weights.`;
    case "otherPlace":
      return otherPlace(remedy, "--output_dir");
  }
}
