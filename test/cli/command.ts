/** Runs the real command as a user does, in a process of its own. */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** Starts a program through `sh`, the one program that the tests' permission set allows. */
export function startProgram(program: string, args: string[], options: ProgramOptions = {}) {
  const process = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@"', program, ...args],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
  const decoder = new TextDecoder();
  const output = process.output();
  return {
    process,
    async ended(): Promise<Ended> {
      const { code, stdout, stderr } = await output;
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
  };
}

/** Starts a program and waits for its end. */
export async function runProgram(
  program: string,
  args: string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  return await startProgram(program, args, options).ended();
}

/** `deno task train` with these arguments, without colours and without a network. */
export async function runTrain(args: string[]): Promise<Ended> {
  const run = ["run", "-q", "--no-check", "-P=train", "--no-prompt", "cli/train.ts"];
  return await runProgram(Deno.execPath(), [...run, ...args], {
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
  });
}
