/** How a command ends when something was thrown: the error on stderr, and an exit code. */
import { DeviceError } from "../engine/errors.ts";
import { UserError } from "../models/errors.ts";
import { adviceFor, messageWithAdvice } from "./advice.ts";
import { type Output, paint } from "./terminal.ts";

/** Writes what was thrown and what to do about it; returns the exit code, 2 for wrong use. */
export function reportFailure(error: unknown, output: Output, advice = adviceFor): number {
  output.write(`${paint(output, "red", "Error:")} ${messageWithAdvice(error, advice)}\n`);
  if (error instanceof UserError) return error.exitCode;
  // Of the GPU and the file system a message says all; what is left is a mistake of ours.
  const outside = [DeviceError, ...Object.values(Deno.errors)];
  if (outside.some((kind) => error instanceof kind)) return 1;
  if (error instanceof Error && error.stack) output.write(`${error.stack}\n`);
  return 1;
}
