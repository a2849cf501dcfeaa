/** `--launcher local`: the tasks in processes of their own, so many at a time. */
import { join } from "node:path";
import { onSignals, type Stop } from "../shared/signals.ts";
import type { Output } from "../shared/terminal.ts";
import { busyCode } from "./task.ts";

export interface LocalTask {
  task: number;
  run: string;
}

export interface LocalOptions {
  folder: string;
  jobs: number;
  /** The program and its arguments that train a task. */
  command(task: number): [program: string, args: string[]];
  out: Output;
  /** Whether standard output is kept for a document: what tasks print goes where progress goes. */
  json: boolean;
}

export interface LocalOutcome {
  /** Runs that failed, and those that other processes train. */
  failed: string[];
  elsewhere: string[];
  stop?: Stop;
}

/** Starts a task; alone it has the terminal, beside others a file. Returns its process and its exit code. */
function start({ task }: LocalTask, { folder, jobs, command, json }: LocalOptions) {
  const [program, args] = command(task);
  if (jobs === 1) {
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: json ? "piped" : "inherit",
      stderr: "inherit",
    }).spawn();
    const shown = json
      ? child.stdout.pipeTo(Deno.stderr.writable, { preventClose: true })
      : undefined;
    return { child, ended: Promise.all([child.status, shown]).then(([{ code }]) => code) };
  }
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const keep = async (stream: ReadableStream<Uint8Array>) => {
    const file = await Deno.open(join(folder, "output", `${task}.txt`), {
      create: true,
      append: true,
    });
    await stream.pipeTo(file.writable);
  };
  const kept = [keep(child.stdout), keep(child.stderr)];
  return { child, ended: Promise.all([child.status, ...kept]).then(([{ code }]) => code) };
}

/** Runs tasks until all have ended, or a signal came: then those that run end, and no other begins. */
export async function runLocally(
  tasks: readonly LocalTask[],
  options: LocalOptions,
): Promise<LocalOutcome> {
  const { folder, jobs, out } = options;
  const outcome: LocalOutcome = { failed: [], elsewhere: [] };
  const running = new Set<Deno.ChildProcess>();
  onSignals((stop) => {
    outcome.stop ??= stop;
    if (stop.signal === "Ctrl-C") return; // the terminal sends it to all
    for (const child of running) child.kill(stop.signal as Deno.Signal);
  });
  if (jobs > 1) await Deno.mkdir(join(folder, "output"), { recursive: true });
  const waiting = tasks.values();
  const work = async () => {
    for (const task of waiting) {
      if (outcome.stop !== undefined) return;
      out.write(
        jobs === 1
          ? `\nTask ${task.task}: ${task.run}\n`
          : `${task.run} begins: ${join(folder, "output", `${task.task}.txt`)}\n`,
      );
      const { child, ended } = start(task, options);
      running.add(child);
      const code = await ended;
      running.delete(child);
      if (code === busyCode) outcome.elsewhere.push(task.run);
      else if (code !== 0 && outcome.stop === undefined) outcome.failed.push(task.run);
      if (jobs > 1) {
        out.write(`${task.run} ${code === 0 ? "is done" : `ended with exit code ${code}`}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return outcome;
}
