/** The file that keeps what was found of matmul plans from one command to the next, adapter by adapter. */
import { join } from "node:path";
import * as v from "valibot";
import type { RefusedPlan, TunedPlans } from "../../engine/plans.ts";
import { isMissing } from "../../models/host/files.ts";
import { cacheHome } from "../../models/host/settings.ts";
import { writeFileWhole } from "../../models/host/write.ts";

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

/** Version 1 also held plans that nothing had timed. */
const version = 2;

/** What is kept of an adapter's plans, in the cache and in an experiment's unfinished work. */
export const Kept = v.object({
  plans: v.record(v.string(), Plan),
  refused: v.array(v.object({ plan: Plan, reason: v.string() })),
});

const Cache = v.object({
  version: v.literal(version),
  /** By the tuner's key: adapter, limits, version of the kernels. */
  adapters: v.record(
    v.string(),
    v.object({ tuned: v.string(), ...Kept.entries }),
  ),
});
type Cache = v.InferOutput<typeof Cache>;

/** What is kept of an adapter: the fastest plans by class of shapes, and those that its driver refuses. */
export interface KeptTuning {
  plans: TunedPlans;
  refused: readonly RefusedPlan[];
}

/** `peft-on-webgpu/kernels.json` in XDG_CACHE_HOME or ~/.cache. */
export function tuningCachePath(
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  return join(cacheHome(read), "peft-on-webgpu", "kernels.json");
}

/** What is kept under a key. Nothing where there is no file, or one that this version did not write. */
export async function readTuning(path: string, key: string): Promise<KeptTuning> {
  const { plans = {}, refused = [] } = (await readCache(path)).adapters[key] ?? {};
  return { plans, refused };
}

/** Keeps this under a key, beside what there is of other adapters. Throws what the file system throws. */
export async function writeTuning(path: string, key: string, kept: KeptTuning): Promise<void> {
  const { adapters } = await readCache(path);
  const { plans, refused } = kept;
  const tuned = new Date().toISOString();
  const cache = { version, adapters: { ...adapters, [key]: { tuned, plans, refused } } };
  await writeFileWhole(path, `${JSON.stringify(cache, null, 2)}\n`);
}

/** The keys of the adapters that the file keeps plans of; undefined where there is no file. Throws where it is damaged. */
export async function tunedAdapters(path: string): Promise<string[] | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return Object.keys(v.parse(Cache, JSON.parse(text)).adapters);
}

async function readCache(path: string): Promise<Cache> {
  try {
    return v.parse(Cache, JSON.parse(await Deno.readTextFile(path)));
  } catch {
    return { version, adapters: {} }; // what is lost costs some seconds
  }
}
