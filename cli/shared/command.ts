/** What all commands have in common: help, wrong flags, and how they end when something was thrown. */
import { DeviceError } from "../../engine/errors.ts";
import { UserError } from "../../models/errors.ts";
import { systemCode } from "../../models/host/system_error.ts";
import { adviceFor, messageWithAdvice } from "./advice.ts";
import { type Backend, useBackend } from "./backend.ts";
import type { Parsed } from "./flag_parser.ts";
import { harmless, type Output, paint, standardOutput } from "./terminal.ts";

export interface CommandOptions<Flags> {
  /** Loads native code, for which there is no permission any more once the command runs. */
  load?: (flags: Flags) => void;
  stdout?: Output;
  stderr?: Output;
  /** What to do about an error, in the words of the command's flags. */
  advice?: (error: unknown) => string | undefined;
  /** Makes an error's message, which may quote what files hold, fit for a terminal. */
  escape?: (message: string) => string;
}

const harmlessLines = (message: string) => message.split("\n").map(harmless).join("\n");

/** Tells why a command ends, in a sentence that may begin with whose error it is; returns its exit code. */
export function tellError(
  error: unknown,
  stderr: Output,
  { advice = adviceFor, escape = harmlessLines, whose = "" }:
    & Pick<CommandOptions<unknown>, "advice" | "escape">
    & { whose?: string } = {},
): number {
  const message = whose + escape(messageWithAdvice(error, advice));
  stderr.write(`${paint(stderr, "red", "Error:")} ${message}\n`);
  if (error instanceof UserError) return error.exitCode;
  // Of the GPU and the file system a message says all; what is left is a mistake of ours.
  if (error instanceof DeviceError || systemCode(error) !== undefined) return 1;
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return 1;
  if (error instanceof Error && error.stack) stderr.write(`${harmlessLines(error.stack)}\n`);
  return 1;
}

/**
 * Runs a command: prints help or the error in its flags, else runs it. Returns the exit code: what `run` returns,
 * or 0; 1 where it throws or where standard output took not all of it, 2 for wrong use.
 */
export async function runCommand<Flags>(
  parsed: Parsed<Flags>,
  command: string,
  run: (flags: Flags) => Promise<number | void>,
  options: CommandOptions<Flags> = {},
): Promise<number> {
  const { stdout = standardOutput("stdout"), stderr = standardOutput("stderr") } = options;
  const unlessLost = (code: number) => code === 0 && stdout.lost ? 1 : code;
  try {
    if (parsed.kind === "help") {
      stdout.write(`${parsed.text}\n`);
      return unlessLost(0);
    }
    if (parsed.kind === "error") {
      throw new UserError(`${parsed.message} See ${command} --help.`, { exitCode: 2 });
    }
    options.load?.(parsed.flags);
    const { backend } = parsed.flags as { backend?: Backend };
    await useBackend(backend);
    return unlessLost(await run(parsed.flags) ?? 0);
  } catch (error) {
    return tellError(error, stderr, options);
  }
}
