/**
 * Prints the hub's cache folder, the one place that `deno task predict` may write, for a base that is to be fetched. The
 * task gives it to `--allow-write`.
 */
import { resolve } from "node:path";
import { hubSettingsFromEnvironment } from "../models/host/settings.ts";

/** Deno takes an empty text for a mistake. */
const nowhere = "/dev/null";

/** The cache folder; one that Deno would take for several, or for none, is left out. */
export function writableCache(read: (name: string) => string | undefined): string {
  const { cacheFolder } = hubSettingsFromEnvironment((name) =>
    name === "HF_TOKEN" ? "" : read(name)
  );
  // deno-lint-ignore no-control-regex
  return /[,\x00-\x1f]/.test(cacheFolder) ? nowhere : resolve(cacheFolder);
}

if (import.meta.main) console.log(writableCache((name) => Deno.env.get(name)));
