/** Dawn, Chromium's WebGPU, which `deno task dawn` fetches. Needs no other package, for what runs without any. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, UserError } from "../../models/errors.ts";
import { exists } from "../../models/host/files.ts";
import { packageFolder } from "./packages.ts";
import { paceImmediates } from "./patience.ts";

/** The release of npm's `webgpu` that `deno task dawn` fetches. */
export const dawnVersion = "0.6.2";

/** Matrix units are granted only so: to Dawn they are experimental. */
const dawnOptions = ["enable-dawn-features=allow_unsafe_apis"];

interface DawnModule {
  create(options: string[]): GPU;
}

/**
 * Makes Dawn the process's `navigator.gpu`. Throws a UserError where it was not fetched, cannot be loaded, or finds no
 * adapter.
 */
export async function useDawn(): Promise<void> {
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
  paceImmediates();
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
