/**
 * `deno task merge`: folds a trained run's adapter into its base model, and ends with an exit code: 0 done,
 * 1 failed, 2 wrong use.
 */
import { join, resolve } from "node:path";
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { UserError } from "../models/errors.ts";
import { readJsonObject, toJson } from "../models/files/json.ts";
import { exists, hostFolder } from "../models/host/files.ts";
import { hubSettingsFromEnvironment } from "../models/host/settings.ts";
import { writeFileWhole } from "../models/host/write.ts";
import { writeFiles } from "../models/host/write_files.ts";
import { exportRun } from "../models/peft/export.ts";
import { mergeRun } from "../models/peft/merge.ts";
import { runName } from "../models/peft/methods.ts";
import { loadTokenizer } from "../models/text/tokenizer.ts";
import { adviceForPrediction } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { flag, parseCommand, switchOn, valueOf } from "./shared/flag_parser.ts";
import { parseText } from "./shared/flag_values.ts";
import { removeUnfinished, type Unfinished, writeFolderWhole } from "./shared/folders.ts";
import { formatBytes } from "./shared/format.ts";
import { prediction } from "./inspect/found.ts";
import { renderNotice, standardOutput } from "./shared/terminal.ts";
import { findRun, openBase, type TrainedRun } from "./trained/run.ts";

const command = "deno task merge";

export const parser = object({
  run: flag(
    "--run",
    valueOf("FOLDER", parseText, ""),
    "Folder of a LoRA, DoRA or IA3 run",
    "required",
  ),
  output: flag(
    "--output",
    valueOf("FOLDER", parseText, ""),
    "The model's folder, to be made",
    "required",
  ),
  modelName: flag(
    "--model_name",
    valueOf("NAME", parseText, ""),
    "Base model: Hub id, folder or mini",
    "the run's",
  ),
  json: switchOn("--json", "Print one JSON document on stdout"),
});

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

/** What was merged and written, under the names of `--json`. */
export interface MergeReport {
  run: string;
  method: string;
  base: string;
  output: string;
  layers: number;
  files: string[];
  bytes: number;
  command: string;
}

/** Refuses to write over anything. */
async function checkOutput(output: string): Promise<void> {
  if (!(await exists(output))) return;
  throw new UserError(`${output} is there already. Name another --output, or remove it.`, {
    exitCode: 2,
  });
}

/** Merges a run and writes the model's folder, whole or not at all. Throws a UserError where that cannot be. */
export async function writeMerged(
  run: TrainedRun,
  output: string,
  unfinished: Unfinished = new Set(),
): Promise<MergeReport> {
  const { model, labels, folder } = run;
  const { config } = model;
  await checkOutput(output);
  const classes = labels.length;
  const base = await openBase(run);
  const { weights, layers } = await mergeRun(run, { config, classes, base })
    .finally(() => base.close());
  const tokenizer = await loadTokenizer(hostFolder(model.folder), config.vocabSize);
  const exported = await exportRun({
    method: { method: "full" },
    config,
    labels,
    baseModel: { name: model.name, folder: hostFolder(model.folder) },
    weights,
    tokenizerFiles: tokenizer.files,
  });
  const from = resolve(folder.name);
  const record = await folder.has("run.json")
    ? await readJsonObject(folder, "run.json")
    : { labels };
  const content = toJson({ ...record, merged_from: { run: from, base: model.name } });
  const written = await writeFolderWhole(output, unfinished, async (temporary) => {
    const { files, bytes } = await writeFiles(temporary, exported);
    const more = await writeFileWhole(join(temporary, "run.json"), content);
    await checkOutput(output); // it may have been made meanwhile
    return { files: [...files, "run.json"], bytes: bytes + more };
  });
  return {
    run: from,
    method: run.method.method,
    base: model.name,
    output,
    layers: layers.length,
    ...written,
    command: prediction(output).command,
  };
}

/** Leaves nothing half-written behind when the user or the system ends the program. */
function endOnSignals(unfinished: Unfinished): void {
  const end = (exitCode: number) => {
    removeUnfinished(unfinished);
    Deno.exit(exitCode);
  };
  Deno.addSignalListener("SIGINT", () => end(130));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => end(143));
}

async function run(flags: InferValue<typeof parser>): Promise<void> {
  const { run, output } = flags;
  if (run === undefined || output === undefined) {
    throw new UserError(
      `Say which run with --run FOLDER, and where to with --output FOLDER. See ${command} --help.`,
      { exitCode: 2 },
    );
  }
  await checkOutput(output);
  const report = (message: string) => stderr.write(`${message}\n`);
  const trained = await findRun(run, flags.modelName, { ...hubSettingsFromEnvironment(), report });
  for (const notice of trained.model.notices) stderr.write(renderNotice(stderr, notice));
  const unfinished: Unfinished = new Set();
  endOnSignals(unfinished);
  const merged = await writeMerged(trained, output.replace(/(.)[\\/]+$/, "$1"), unfinished);
  if (flags.json) {
    stdout.write(`${JSON.stringify(merged, null, 2)}\n`);
    return;
  }
  stdout.write(
    `${runName(trained.method)} merged into ${merged.layers} layers of ${merged.base}: ` +
      `${merged.output}, ${formatBytes(merged.bytes)}\nUse it: ${merged.command}\n`,
  );
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Folds the LoRA, DoRA or IA3 of a run into its base model, and writes the whole " +
      "model, which needs no adapter beside it.",
    examples: ["merge --run results/001-mini-sample/lora-r8 --output my-model"],
  });
  return runCommand(parsed, command, run, { stdout, stderr, advice: adviceForPrediction });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
