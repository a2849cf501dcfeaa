/** Sweeps of fake trainings, for tests. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSweepFlags } from "../../cli/sweep/flags.ts";
import { type Sweep, sweepOf } from "../../cli/sweep/place.ts";
import { runTask, type TaskOptions } from "../../cli/sweep/task.ts";
import { newSession } from "../../cli/train/session.ts";
import { startProgram } from "./command.ts";
import { type FakeOptions, fakeTools } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";

/** The sweep that a command line asks for. */
export function sweep(...args: string[]): Sweep {
  const parsed = parseSweepFlags(args);
  assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
  return sweepOf(args, parsed.flags);
}

/** Trains one of its tasks in this process. */
export function train(
  { tasks, folder }: Sweep,
  number: number,
  tools: FakeOptions = {},
  options: Partial<TaskOptions> = {},
) {
  return runTask(tasks[number], {
    folder,
    hub: { endpoint: "", cacheFolder: "", offline: true },
    goOn: "the same again",
    host: "here",
    session: newSession(),
    out: recorder(),
    err: recorder(),
    ...options,
  }, () => Promise.resolve(fakeTools(tools)));
}

/**
 * Starts the command in a process of its own, in a folder where its results go; `path` comes first among programs, and
 * tasks end with `taskCode` after what they did.
 */
export function startSweep(
  cwd: string,
  args: string[],
  { path, modelName = "mini", ...options }:
    & FakeOptions
    & { path?: string; modelName?: string; taskCode?: number } = {},
) {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const run = ["run", "-q", "--no-check", "--config", join(root, "deno.json"), "-A"];
  const program = join(root, "test/cli/fake_sweep.ts");
  const all = ["--model_name", modelName, "--use_sample", ...args];
  return startProgram(Deno.execPath(), [...run, program, ...all], {
    cwd,
    env: {
      NO_COLOR: "1",
      HF_HUB_OFFLINE: "1",
      FAKE_TOOLS: JSON.stringify(options),
      ...(path !== undefined && { PATH: `${path}:${Deno.env.get("PATH")}` }),
    },
  });
}
