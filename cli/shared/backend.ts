/** The implementations of WebGPU that commands can use. */
import { choice } from "@optique/core/valueparser";
import { messageOf, UserError } from "../../models/errors.ts";
import { flag } from "./flag_parser.ts";

export const backends = ["deno", "dawn"] as const;
export type Backend = typeof backends[number];

export const backendFlag = {
  backend: flag(
    "--backend",
    choice(backends, { metavar: "NAME" }),
    "WebGPU's: deno's own, or dawn, fetched for it",
    "deno",
  ),
};

/** Chromium's WebGPU for Node. Not a literal where it is imported: Deno would fetch it for those who never ask for it. */
const dawnPackage = "webgpu";

/** Shows matrix units, which Dawn takes for experimental. */
const dawnOptions = ["enable-dawn-features=allow_unsafe_apis"];

interface DawnModule {
  create(options: string[]): GPU;
}

/**
 * Makes a backend the process's `navigator.gpu`. Unless it is Dawn, the permission to load native code is given up.
 * Throws a UserError where Dawn cannot be had.
 */
export async function useBackend(backend: Backend = "deno"): Promise<void> {
  if (backend === "deno") return void Deno.permissions.revokeSync({ name: "ffi" });
  let dawn: DawnModule;
  try {
    dawn = await import(dawnPackage);
  } catch (cause) {
    throw new UserError(`Dawn (npm:${dawnPackage}) cannot be had: ${reasonOf(cause)}`, { cause });
  }
  Object.defineProperty(navigator, "gpu", { value: dawn.create(dawnOptions), configurable: true });
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "it is native code, for which a command needs the permission ffi. Use deno task, whose commands have it.";
  }
  return `${messageOf(error).split("\n")[0]} Leave --backend out to use Deno's own WebGPU.`;
}
