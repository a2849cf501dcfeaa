/**
 * `deno task train`: reads the flags, then counts (`--dry_run`) or trains, and ends with an exit
 * code: 0 done, 1 failed, 2 wrong use, 130 interrupted.
 */
import { hubSettingsFromEnvironment } from "../models/host/settings.ts";
import { comparisonRemarks, comparisonReport, comparisonTable } from "./train/comparison.ts";
import { type Experiment, runExperiment, type Session } from "./train/experiment.ts";
import { runCommand } from "./shared/command.ts";
import { type Flags, parseFlags } from "./train/flags.ts";
import { removeIfEmpty, removeUnfinished } from "./shared/folders.ts";
import { type Plan, planRuns } from "./train/plan.ts";
import { type Output, paint, standardOutput, wrap } from "./shared/terminal.ts";
import type { DeviceHandle, TrainingTools } from "./train/tools.ts";

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

function printJson(document: unknown): void {
  stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

function printLines(output: Output, lines: string[]): void {
  output.write(`${lines.join("\n")}\n`);
}

/** On Ctrl-C: nothing half-written stays, finished runs do. */
function endOnSignals(session: Session): void {
  const end = (signal: string, exitCode: number) => {
    removeUnfinished(session.unfinished);
    if (session.folder !== undefined) removeIfEmpty(session.folder);
    const clear = stderr.terminal ? "\r\x1b[K" : "";
    stderr.write(`${clear}Interrupted (${signal}): finished runs are kept, this one is not.\n`);
    Deno.exit(exitCode);
  };
  Deno.addSignalListener("SIGINT", () => end("Ctrl-C", 130));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => end("SIGTERM", 143));
}

function printExperiment(experiment: Experiment, output: Output): void {
  const { comparison, folder } = experiment;
  const width = Math.max(80, output.columns());
  const remarks = comparisonRemarks(comparison).flatMap((remark) => wrap(remark, 79));
  printLines(output, [
    "",
    paint(output, "bold", `${comparison.model} on ${comparison.dataset}`),
    "",
    ...comparisonTable(comparison, width),
    "",
    ...remarks,
    `Results: ${folder}`,
  ]);
}

async function countOnly(flags: Flags, plan: Plan): Promise<void> {
  const { dryRun, dryRunReport, dryRunTable } = await import("./train/dry_run.ts");
  const counted = await dryRun(plan, flags);
  if (flags.json) printJson(dryRunReport(counted));
  else printLines(stdout, dryRunTable(counted, Math.max(80, stdout.columns())));
}

async function trainAll<Device extends DeviceHandle>(
  flags: Flags,
  plan: Plan,
  command: readonly string[],
  tools: TrainingTools<Device>,
): Promise<void> {
  const out = flags.json ? stderr : stdout;
  const session: Session = { unfinished: new Set() };
  endOnSignals(session);
  const hub = {
    ...hubSettingsFromEnvironment(),
    report: (message: string) => stderr.write(`${message}\n`),
  };
  const options = { flags, plan, hub, command, out, err: stderr, session };
  const experiment = await runExperiment(options, tools);
  printExperiment(experiment, out);
  if (flags.json) {
    printJson({
      experiment: experiment.folder,
      runs: experiment.runs,
      comparison: comparisonReport(experiment.comparison),
    });
  }
}

/** Loaded only for training, so that --help and --dry_run start without the engine. */
export async function loadTrainingTools() {
  return (await import("./train/training_tools.ts")).trainingTools;
}

/** Runs the command; returns its exit code. */
export function main<Device extends DeviceHandle>(
  args: readonly string[],
  loadTools: () => Promise<TrainingTools<Device>>,
): Promise<number> {
  return runCommand(parseFlags(args), "deno task train", async (flags) => {
    const plan = planRuns(flags);
    for (const warning of plan.warnings) {
      stderr.write(`${paint(stderr, "yellow", "Warning:")} ${warning}\n`);
    }
    if (flags.dryRun) await countOnly(flags, plan);
    else await trainAll(flags, plan, args, await loadTools());
  }, { stdout, stderr });
}

if (import.meta.main) Deno.exit(await main(Deno.args, loadTrainingTools));
