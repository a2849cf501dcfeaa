/** The implementations of WebGPU that commands can use. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { choice } from "@optique/core/valueparser";
import { messageOf, UserError } from "../../models/errors.ts";
import { exists } from "../../models/host/files.ts";
import { flag } from "./flag_parser.ts";
import { packageFolder } from "./packages.ts";

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

/** The release of npm's `webgpu` that `deno task dawn` fetches. */
export const dawnVersion = "0.6.2";

/** Matrix units are granted only so: to Dawn they are experimental. */
const dawnOptions = ["enable-dawn-features=allow_unsafe_apis"];

interface DawnModule {
  create(options: string[]): GPU;
}

/**
 * Makes a backend the process's `navigator.gpu`. Unless it is Dawn, the permission to load native code is given up.
 * Throws a UserError where Dawn was not fetched, cannot be loaded, or finds no adapter.
 */
export async function useBackend(backend: Backend = "deno"): Promise<void> {
  if (backend === "deno") return void Deno.permissions.revokeSync({ name: "ffi" });
  const folder = await dawnFolder();
  if (folder === undefined) {
    throw new UserError(
      `Dawn is not there. Fetch it once, 130 MB from npm, with: deno task dawn`,
    );
  }
  let dawn: DawnModule;
  try {
    // By its path, since a package of deno.json would be fetched for all who never ask for it.
    dawn = await import(pathToFileURL(join(folder, "index.js")).href);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotCapable
      ? "native code needs the permission ffi, which the commands of deno task have"
      : messageOf(cause).split("\n")[0];
    throw new UserError(`Dawn in ${folder} cannot be loaded: ${reason}.`, { cause });
  }
  const gpu = dawn.create(dawnOptions);
  if (await gpu.requestAdapter() === null) {
    throw new UserError(
      "Dawn finds no adapter. Of Mesa's software adapter it takes version 25 and later (Debian 13). " +
        "Leave --backend out to use Deno's own WebGPU.",
    );
  }
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
}

/** The folder of the fetched package, below that of whichever registry it came from. */
async function dawnFolder(): Promise<string | undefined> {
  const packages = packageFolder((name) => Deno.env.get(name));
  if (packages === undefined || !await exists(packages)) return undefined;
  for await (const { name } of Deno.readDir(packages)) {
    const folder = join(packages, name, "webgpu", dawnVersion);
    if (await exists(folder)) return folder;
  }
}
