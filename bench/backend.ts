/** Whose WebGPU is measured, for what bench/gpu.sh runs: without the packages that a command's flags need. */
import type { Backend } from "../cli/shared/backend.ts";
import { useDawn } from "../cli/shared/dawn.ts";
import { UserError } from "../models/errors.ts";

/** Makes Dawn the process's WebGPU where `--backend=dawn` is among the arguments; where it is not there, says so and ends. */
export async function backendOf(args: readonly string[]): Promise<Backend> {
  if (!args.includes("--backend=dawn")) return "deno";
  try {
    await useDawn();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
  return "dawn";
}
