/**
 * `deno task merge`: folds a trained run's adapter into its base model, and ends with an exit code: 0 done,
 * 1 failed, 2 wrong use.
 */
import { resolve } from "node:path";
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { counted, UserError } from "../models/errors.ts";
import { readJsonObject } from "../models/files/json.ts";
import { mergeRun } from "../models/peft/merge.ts";
import { runName } from "../models/peft/methods.ts";
import { adviceForMerge } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { flag, parseCommand, switchOn } from "./shared/flag_parser.ts";
import { removeUnfinished, type Unfinished } from "./shared/folders.ts";
import { formatBytes } from "./shared/format.ts";
import { checkOutput, writeModel } from "./merge/model_folder.ts";
import { mismatch, unmergeFolder, unmergeLines } from "./merge/unmerge.ts";
import { giveUp } from "./shared/permissions.ts";
import { predictCommand } from "./shared/shell.ts";
import { onSignals } from "./shared/signals.ts";
import { jsonText, renderNotice, standardOutput } from "./shared/terminal.ts";
import { baseFlags, folder, runFlag } from "./trained/flags.ts";
import { findRun, openBase, type TrainedRun } from "./trained/run.ts";

const command = "deno task merge";

export const parser = object({
  run: runFlag("Folder of a LoRA, DoRA or IA3 run"),
  output: flag(
    "--output",
    folder,
    "The model's folder, to be made",
    "required, unless --unmerge",
  ),
  unmerge: flag(
    "--unmerge",
    folder,
    "A merged model: take the run out of it again, and compare with the base",
    "none",
  ),
  ...baseFlags,
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

/** Merges a run and writes the model's folder, whole or not at all. Throws a UserError where that cannot be. */
export async function writeMerged(
  run: TrainedRun,
  output: string,
  unfinished: Unfinished = new Set(),
): Promise<MergeReport> {
  const { model, labels } = run;
  const { config } = model;
  await checkOutput(output);
  const base = await openBase(run);
  const { weights, layers } = await mergeRun(run, { config, classes: labels.length, base })
    .finally(() => base.close());
  const from = resolve(run.folder.name);
  const hasRecord = await run.folder.has("run.json");
  const record = hasRecord ? await readJsonObject(run.folder, "run.json") : {};
  const written = await writeModel(run, weights, output, {
    record: { ...record, labels, merged_from: { run: from, base: model.name } },
    unfinished,
  });
  return {
    run: from,
    method: run.method.method,
    base: model.name,
    output,
    layers: layers.length,
    ...written,
    command: predictCommand(output),
  };
}

/** Leaves nothing half-written behind when the user or the system ends the program. */
export function cleanUpOnSignals(unfinished: Unfinished): void {
  onSignals(({ exitCode }) => {
    removeUnfinished(unfinished);
    Deno.exit(exitCode);
  });
}

async function run(flags: InferValue<typeof parser>): Promise<void> {
  const { run, unmerge, output } = flags;
  if (run === undefined || (output === undefined && unmerge === undefined)) {
    throw new UserError(
      `Say which run with --run FOLDER, and where to with --output FOLDER. See ${command} --help.`,
      { exitCode: 2 },
    );
  }
  if (output !== undefined) await checkOutput(output);
  const hub = hubSettings(stderr);
  const trained = await findRun(run, flags.modelName, hub, flags.labels);
  giveUp("net");
  for (const notice of trained.model.notices) stderr.write(renderNotice(stderr, notice));
  const unfinished: Unfinished = new Set();
  cleanUpOnSignals(unfinished);
  const print = (document: unknown, lines: string[]) =>
    stdout.write(`${flags.json ? jsonText(document) : lines.join("\n")}\n`);
  if (unmerge !== undefined) {
    const unmerged = await unmergeFolder(trained, unmerge, output, unfinished);
    if (unmerged.matches || flags.json) {
      print(unmerged, unmergeLines(runName(trained.method), unmerged));
    }
    if (!unmerged.matches) throw mismatch(unmerged);
    return;
  }
  const merged = await writeMerged(trained, output!, unfinished);
  print(merged, [
    `${runName(trained.method)} merged into ${
      counted(merged.layers, "layer")
    } of ${merged.base}: ` +
    `${merged.output}, ${formatBytes(merged.bytes)}`,
    `Use it: ${merged.command}`,
  ]);
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Folds the LoRA, DoRA or IA3 of a run into its base model, and writes the whole " +
      "model, which needs no adapter beside it. With --unmerge it checks the way back, as " +
      "PEFT's unmerge_adapter goes it: exit code 1 where the base is not what is left.",
    examples: [
      "merge --run results/001-mini-sample/lora-r8 --output my-model",
      "merge --run results/001-mini-sample/lora-r8 --unmerge my-model",
    ],
  });
  return runCommand(parsed, command, run, { stdout, stderr, advice: adviceForMerge });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
