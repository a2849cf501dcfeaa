/** What the benchmarks' command lines share: reading flags, printing, writing, ending with an exit code. */
import { dirname } from "node:path";
import { runCommand as runInCli } from "../cli/shared/command.ts";
import { adviceForAdapter } from "../cli/shared/device_advice.ts";
import type { Parsed } from "../cli/shared/flag_parser.ts";
import { standardOutput } from "../cli/shared/terminal.ts";
import { createDevice, type Device } from "../engine/device.ts";
import { writeFileWhole } from "../models/host/write.ts";

export const stdout = standardOutput("stdout");
export const stderr = standardOutput("stderr");

/** Lines for the reader: on stdout, or on stderr while stdout carries JSON. */
export function print(lines: readonly string[], json = false): void {
  (json ? stderr : stdout).write(`${lines.join("\n")}\n`);
}

export function printJson(document: unknown): void {
  stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Columns that tables may have: those of the terminal, 100 at most. */
export function tableWidth(): number {
  return Math.max(80, Math.min(100, stdout.columns()));
}

/** A line that is written over again while something is measured; nothing where stderr is no terminal. */
export function progress(text: string): void {
  if (stderr.terminal) stderr.write(`\r\x1b[K${text.slice(0, stderr.columns() - 1)}`);
}

/** A device with timestamps where the adapter has them. */
export function openDevice(): Promise<Device> {
  return createDevice({ features: ["timestamp-query"] });
}

/** Writes a document beside the others and says so. */
export async function writeResult(path: string, content: string, json: boolean): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeFileWhole(path, content);
  print([`Written: ${path}`], json);
}

/** Runs a benchmark's command, as those of cli/ are run; an error does not stand behind what progress says. */
export function runCommand<Flags>(
  parsed: Parsed<Flags>,
  command: string,
  run: (flags: Flags) => Promise<void>,
  load?: (flags: Flags) => void,
): Promise<number> {
  const clearing = async (flags: Flags) => {
    try {
      await run(flags);
    } catch (error) {
      progress("");
      throw error;
    }
  };
  return runInCli(parsed, command, clearing, { stderr, advice: adviceForAdapter, load });
}
