/** Runs the real command as a user does, in a process of its own. */
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What standard input holds; nothing unless given. */
  input?: string;
}

/** Starts a program through `sh`, the one program that the tests' permission set allows. */
export function startProgram(
  program: string,
  args: string[],
  { input, ...options }: ProgramOptions = {},
) {
  const process = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@"', program, ...args],
    cwd: root,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
  const decoder = new TextDecoder();
  const output = process.output();
  const written = input === undefined
    ? undefined
    : new Blob([input]).stream().pipeTo(process.stdin);
  return {
    process,
    async ended(): Promise<Ended> {
      await written;
      const { code, stdout, stderr } = await output;
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
  };
}

/** Waits until something that another program does is done. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Starts a program and waits for its end. */
export async function runProgram(
  program: string,
  args: string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  return await startProgram(program, args, options).ended();
}

/** The permission set of a task, as `-P=predict`. */
export function setOf(task: keyof typeof project.tasks): string {
  return / (-P=\w+) /.exec(project.tasks[task].command)![1];
}

type Task = "train" | "predict" | "merge" | "evaluate";

async function runTask(task: Task, args: string[], input?: string): Promise<Ended> {
  const run = ["run", "-q", "--no-check", setOf(task), "--no-prompt", `cli/${task}.ts`];
  return await runProgram(Deno.execPath(), [...run, ...args], {
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
    input,
  });
}

/** `deno task train` with these arguments, without colours and without a network. */
export const runTrain = (args: string[]) => runTask("train", args);

/** `deno task predict`, likewise. */
export const runPredict = (args: string[], input?: string) => runTask("predict", args, input);

/** `deno task merge`, likewise. */
export const runMerge = (args: string[]) => runTask("merge", args);

/** `deno task evaluate`, likewise. */
export const runEvaluate = (args: string[]) => runTask("evaluate", args);
