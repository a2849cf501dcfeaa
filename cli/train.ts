/**
 * `deno task train`: reads the flags, then counts (`--dry_run`) or trains, and ends with an exit
 * code: 0 done, 1 failed, 2 wrong use, 130 interrupted (SIGTERM 143, SIGHUP 129, SIGUSR2 140).
 */
import {
  comparisonRemarks,
  comparisonReport,
  comparisonTable,
} from "./train/comparing/comparison_files.ts";
import { type Continued, findContinued } from "./train/continued.ts";
import {
  type Crew,
  type Experiment,
  type ExperimentOptions,
  runExperiment,
} from "./train/experiment.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { type Flags, parseFlags } from "./train/flags.ts";
import { giveUp } from "./shared/permissions.ts";
import { type Plan, planRuns } from "./train/plan.ts";
import { findResumed } from "./train/resume.ts";
import { endOnSignals, newSession } from "./train/session.ts";
import { stoppedSentence } from "./train/standing.ts";
import {
  jsonText,
  type Output,
  paint,
  renderNotice,
  standardOutput,
  wrap,
} from "./shared/terminal.ts";
import type { DeviceHandle, TrainingTools } from "./train/tools.ts";
import { StoppedError } from "./train/watch.ts";

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

function printJson(document: unknown): void {
  stdout.write(`${jsonText(document)}\n`);
}

function printLines(output: Output, lines: string[]): void {
  output.write(`${lines.join("\n")}\n`);
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

async function countOnly(flags: Flags, plan: Plan, continued?: Continued): Promise<void> {
  const { dryRun, dryRunReport, dryRunTable } = await import("./train/dry_run.ts");
  const counted = await dryRun(plan, flags, continued?.model);
  for (const notice of counted.classes.notices) stderr.write(renderNotice(stderr, notice));
  if (flags.json) printJson(dryRunReport(counted));
  else printLines(stdout, dryRunTable(counted, Math.max(80, stdout.columns())));
}

/** Has other processes take part: see cli/mpi/leader.ts. */
export type Lead = <Device extends DeviceHandle>(
  work: Pick<ExperimentOptions, "flags" | "plan">,
  tools: TrainingTools<Device>,
) => { tools: TrainingTools<Device>; crew: Crew };

/** Trains; returns the exit code. */
async function trainAll<Device extends DeviceHandle>(
  options: Pick<ExperimentOptions, "flags" | "plan" | "command" | "resumed" | "crew">,
  tools: TrainingTools<Device>,
): Promise<number> {
  const { json } = options.flags;
  const out = json ? stderr : stdout;
  const session = newSession();
  endOnSignals(session, stderr);
  const hub = hubSettings(stderr);
  try {
    const experiment = await runExperiment({
      ...options,
      hub,
      out,
      err: stderr,
      session,
      onLoaded: () => giveUp("net"),
    }, tools);
    const { folder, runs, comparison } = experiment;
    printExperiment(experiment, out);
    if (json) printJson({ experiment: folder, runs, comparison: comparisonReport(comparison) });
    return 0;
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    stderr.write(`${await stoppedSentence(error)}\n`);
    return error.stop.exitCode;
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
  lead?: Lead,
): Promise<number> {
  return runCommand(parseFlags(args), "deno task train", async (given) => {
    const found = given.resume === undefined ? undefined : await findResumed(given);
    if (found?.finished) {
      stderr.write(`${found.folder} is finished: there is nothing to resume.\n`);
      return 0;
    }
    const { flags: asked, resumed } = found ?? { flags: given, resumed: undefined };
    const continued = await findContinued(asked, () => hubSettings(stderr));
    const flags = continued ? { ...asked, method: continued.method.method } : asked;
    const plan = planRuns(flags, continued && [continued.method]);
    for (const warning of plan.warnings) {
      stderr.write(`${paint(stderr, "yellow", "Warning:")} ${warning}\n`);
    }
    if (flags.dryRun) return await countOnly(flags, plan, continued);
    const loaded = await loadTools();
    const own = continued ? continued.tools(loaded) : loaded;
    const { tools, crew } = lead?.({ flags, plan }, own) ?? { tools: own, crew: undefined };
    return await trainAll({ flags, plan, command: args, resumed, crew }, tools);
  }, { stdout, stderr });
}

if (import.meta.main) Deno.exit(await main(Deno.args, loadTrainingTools));
