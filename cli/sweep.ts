/**
 * `deno task sweep`: trains many runs, each a task of its own, here, by Slurm or on Kubernetes, and ends with an exit code:
 * 0 done, submitted or written, 1 failed, 2 wrong use, 75 other processes still train some, 130 interrupted (SIGTERM 143,
 * SIGHUP 129, SIGUSR2 140). It may start programs, and so reads no data: what does is a process without that permission.
 */
import { fileURLToPath } from "node:url";
import { grants } from "./grants.ts";
import { runCommand } from "./shared/command.ts";
import { countOf } from "./shared/format.ts";
import { quoted } from "./shared/shell.ts";
import { jsonText, type Output, standardOutput, wrap } from "./shared/terminal.ts";
import { compareDone } from "./sweep/finish.ts";
import { checkLauncher, parseSweepFlags, sweepCommand, type SweepFlags } from "./sweep/flags.ts";
import { doneOf, openSweep } from "./sweep/folder.ts";
import { manifestPath, manifestText, mountedResults, writeManifest } from "./sweep/kubernetes.ts";
import { type Listing, listingTable } from "./sweep/listing_table.ts";
import { runLocally } from "./sweep/local.ts";
import { argumentsIn, type Sweep, sweepOf } from "./sweep/place.ts";
import { slurmScript, submitArray, submitCommand } from "./sweep/slurm.ts";
import { busyCode } from "./sweep/task.ts";
import {
  comparisonRemarks,
  comparisonReport,
  comparisonTable,
} from "./train/comparing/comparison_files.ts";

const root = fileURLToPath(new URL("../", import.meta.url)).replace(/(.)[\\/]$/, "$1");
const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

/** The program that trains one task or lists all, with the permissions of `train`. */
export type TaskProgram = (args: readonly string[]) => [program: string, args: string[]];

const taskProgram: TaskProgram = (args) => [
  Deno.execPath(),
  [
    ...["run", "-q", "-P=commands", "--no-prompt"],
    ...grants(["net", "ffi"], (name) => Deno.env.get(name)).split(" "),
    fileURLToPath(new URL("sweep_task.ts", import.meta.url)),
    ...args,
  ],
];

/** The list of tasks, or the exit code of the program that could not make it, which has said why. */
async function listingOf(sweep: Sweep, program: TaskProgram): Promise<Listing | number> {
  const [command, args] = program(["--dry_run", ...argumentsIn(sweep, sweep.outputDir)]);
  const options = { args, stdin: "null", stderr: "inherit" } as const;
  const { code, stdout } = await new Deno.Command(command, options).output();
  return code === 0 ? JSON.parse(new TextDecoder().decode(stdout)) : code;
}

function print(out: Output, lines: string[]): void {
  out.write(`${lines.join("\n")}\n`);
}

interface Launch {
  sweep: Sweep;
  flags: SweepFlags;
  /** Numbers of the tasks that are not done. */
  left: number[];
  program: TaskProgram;
  out: Output;
}

const arrayOf = ({ sweep, flags, left }: Launch) => ({
  folder: sweep.folder,
  project: root,
  arguments: argumentsIn(sweep, sweep.outputDir),
  tasks: sweep.tasks.length,
  left,
  jobs: flags.jobs,
  template: flags.template,
});

const manifestOf = ({ sweep, flags }: Launch) => ({
  experiment: sweep.experiment,
  arguments: argumentsIn(sweep, mountedResults),
  tasks: sweep.tasks,
  jobs: flags.jobs,
  processes: flags.processes ?? 1,
  template: flags.template,
});

/** What would be started, for `--dry_run`. */
async function previewOf(launch: Launch): Promise<string> {
  const { sweep: { folder }, flags: { launcher, jobs = 1 }, left } = launch;
  if (launcher === "kubernetes") {
    const manifest = manifestOf(launch);
    return `${manifestPath(folder, manifest)}:\n\n${await manifestText(manifest)}`;
  }
  if (left.length === 0) return `All tasks are done: ${folder}`;
  if (launcher === "slurm") {
    const array = arrayOf(launch);
    return `${submitCommand(array)}\n\n${await slurmScript(array)}`;
  }
  const how = jobs === 1 ? "one after another" : `${jobs} at a time`;
  return `Would train ${countOf(left.length, "task")} here, ${how}: ${folder}`;
}

/** Trains here; returns the exit code. */
async function trainHere({ sweep, flags, left, program, out }: Launch): Promise<number> {
  const { folder, outputDir, tasks } = sweep;
  const shared = argumentsIn(sweep, outputDir);
  const outcome = await runLocally(left.map((task) => ({ task, run: tasks[task].run })), {
    folder,
    jobs: flags.jobs ?? 1,
    command: (task) => program(["--task", `${task}`, ...shared]),
    out,
    json: flags.json,
  });
  const { done, comparison } = await compareDone(folder) ?? { done: [] as string[] };
  const { failed, stop } = outcome;
  const elsewhere = outcome.elsewhere.filter((run) => !done.includes(run)); // since then they may have ended
  if (comparison !== undefined) {
    const remarks = comparisonRemarks(comparison).flatMap((remark) => wrap(remark, 79));
    print(out, ["", ...comparisonTable(comparison, Math.max(80, out.columns()))]);
    if (remarks.length > 0) print(out, ["", ...remarks]);
  }
  print(out, [
    "",
    `${done.length} of ${countOf(tasks.length, "task")} ${
      done.length === 1 ? "is" : "are"
    } done: ${folder}`,
    ...(failed.length > 0 ? [`Failed: ${failed.join(", ")}`] : []),
    ...(elsewhere.length > 0 ? [`Being trained by other processes: ${elsewhere.join(", ")}`] : []),
    ...(done.length < tasks.length ? ["The same command goes on with what is left."] : []),
  ]);
  if (flags.json) {
    const report = comparison === undefined ? null : comparisonReport(comparison);
    print(stdout, [jsonText({ experiment: folder, done, failed, comparison: report })]);
  }
  if (stop !== undefined) return stop.exitCode;
  return failed.length > 0 ? 1 : elsewhere.length > 0 ? busyCode : 0;
}

/** Submits or writes what others start; returns a sentence on it, and the fields of the JSON document. */
async function handOver(
  launch: Launch,
): Promise<{ text: string; fields: Record<string, unknown> }> {
  const { sweep: { folder, tasks }, flags: { launcher }, left } = launch;
  if (launcher === "kubernetes") {
    const path = await writeManifest(folder, manifestOf(launch));
    const start = `kubectl apply -f ${quoted(path)}`;
    return {
      text: `${path}: ${countOf(tasks.length, "task")}. Start them with: ${start}`,
      fields: { manifest: path },
    };
  }
  const job = await submitArray(arrayOf(launch));
  const text =
    `Job ${job}: ${countOf(left.length, "task")} of ${tasks.length} submitted. Their output goes ` +
    `to ${folder}/output; compare what is done with: deno task report ${quoted(folder)}`;
  return { text, fields: { job } };
}

async function run(
  args: readonly string[],
  flags: SweepFlags,
  program: TaskProgram,
): Promise<number> {
  const { launcher = "local", dryRun, json } = flags;
  checkLauncher(flags);
  const sweep = sweepOf(args, flags);
  const { folder, tasks } = sweep;
  const out = json ? stderr : stdout;
  // In a cluster data may lie where only its pods see them.
  const listing = launcher !== "kubernetes" ? await listingOf(sweep, program) : undefined;
  if (typeof listing === "number") return listing;
  const done = await doneOf(folder, tasks);
  const left = tasks.map((_, index) => index)
    .filter((index) => !done.includes(tasks[index].run) && (flags.task ?? index) === index);
  const launch: Launch = { sweep, flags, left, program, out };
  if (listing !== undefined) print(out, listingTable(listing, Math.max(80, out.columns())));
  if (dryRun) {
    const preview = await previewOf(launch);
    print(out, [...(listing === undefined ? [] : [""]), preview.trimEnd()]);
    if (json) print(stdout, [jsonText({ ...listing, launcher, starts: preview })]);
    return 0;
  }
  // A template that lacks a line is told before there is a folder.
  if (launcher !== "local") await previewOf(launch);
  await openSweep(folder, tasks);
  if (launcher === "local") return await trainHere(launch);
  if (launcher === "slurm" && left.length === 0) {
    print(out, [`All ${tasks.length} tasks are done: deno task report ${quoted(folder)}`]);
    if (json) print(stdout, [jsonText({ experiment: folder, job: null })]);
    return 0;
  }
  const { text, fields } = await handOver(launch);
  print(out, ["", text]);
  if (json) print(stdout, [jsonText({ experiment: folder, ...fields })]);
  return 0;
}

/** Runs the command; returns its exit code. */
export function main(
  args: readonly string[],
  program: TaskProgram = taskProgram,
): Promise<number> {
  const parsed = parseSweepFlags(args);
  return runCommand(parsed, sweepCommand, (flags) => run(args, flags, program), { stdout, stderr });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
