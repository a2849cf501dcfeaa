/** The implementations of WebGPU that commands can use. */
import { choice } from "@optique/core/valueparser";
import { useDawn } from "./dawn.ts";
import { flag } from "./flag_parser.ts";

export const backends = ["deno", "dawn"] as const;
export type Backend = typeof backends[number];

export const backendFlag = {
  backend: flag(
    "--backend",
    choice(backends, { metavar: "NAME" }),
    "WebGPU: deno's own, or dawn, Chromium's",
    "deno",
  ),
};

/**
 * Makes a backend the process's `navigator.gpu`. Unless it is Dawn, the permission to load native code is given up.
 * Throws a UserError where Dawn was not fetched, cannot be loaded, or finds no adapter.
 */
export async function useBackend(backend: Backend = "deno"): Promise<void> {
  if (backend === "deno") return void Deno.permissions.revokeSync({ name: "ffi" });
  await useDawn();
}
