/** The file that keeps tuned matmul plans from one command to the next, adapter by adapter. */
import { join } from "node:path";
import * as v from "valibot";
import type { TunedPlans } from "../engine/plans.ts";
import { writeFileWhole } from "../models/host/write.ts";

const Pair = v.tuple([v.number(), v.number()]);
const Plan = v.variant("kind", [
  v.strictObject({
    kind: v.literal("registers"),
    groups: v.number(),
    lanes: v.number(),
    columns: v.number(),
    broadcast: v.boolean(),
    workgroup: Pair,
    textures: v.boolean(),
  }),
  v.strictObject({
    kind: v.literal("workgroup"),
    rows: v.number(),
    columns: v.number(),
    inner: v.number(),
    workgroup: Pair,
  }),
  v.strictObject({
    kind: v.literal("cooperative"),
    size: v.picklist([8, 16]),
    rows: v.number(),
    columns: v.number(),
    inner: v.number(),
    lanes: v.number(),
    workgroup: Pair,
  }),
]);

const Cache = v.object({
  version: v.literal(1),
  /** By the tuner's key: adapter, limits, version of the kernels. */
  adapters: v.record(
    v.string(),
    v.object({ tuned: v.string(), plans: v.record(v.string(), Plan) }),
  ),
});
type Cache = v.InferOutput<typeof Cache>;

/** `peft-on-webgpu/kernels.json` in XDG_CACHE_HOME or ~/.cache. */
export function tuningCachePath(
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const home = read("HOME") || read("USERPROFILE") || ".";
  return join(read("XDG_CACHE_HOME") || join(home, ".cache"), "peft-on-webgpu", "kernels.json");
}

/** The plans for a key. None where there is no file, or one that this version did not write. */
export async function readTunedPlans(path: string, key: string): Promise<TunedPlans> {
  return (await readCache(path)).adapters[key]?.plans ?? {};
}

/** Keeps the plans for a key beside those of other adapters. Throws what the file system throws. */
export async function writeTunedPlans(path: string, key: string, plans: TunedPlans): Promise<void> {
  const { adapters } = await readCache(path);
  const tuned = new Date().toISOString();
  const cache = { version: 1, adapters: { ...adapters, [key]: { tuned, plans } } };
  await writeFileWhole(path, `${JSON.stringify(cache, null, 2)}\n`);
}

async function readCache(path: string): Promise<Cache> {
  try {
    return v.parse(Cache, JSON.parse(await Deno.readTextFile(path)));
  } catch {
    return { version: 1, adapters: {} }; // what is lost costs some seconds
  }
}
