/** The file that keeps what was found of matmul plans from one command to the next, adapter by adapter. */
import { join } from "node:path";
import * as v from "valibot";
import type { RefusedPlan, TunedPlans } from "../../engine/plans.ts";
import { messageOf } from "../../models/errors.ts";
import { isObject } from "../../models/files/json.ts";
import { textIfThere } from "../../models/host/files.ts";
import { cacheHome } from "../../models/host/settings.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { issueOf } from "../shared/issues.ts";

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
    prefetch: v.optional(v.boolean(), false), // experiments that began without it go on
    workgroup: Pair,
  }),
  v.strictObject({
    kind: v.literal("cooperative"),
    extension: v.picklist(["wgpu_cooperative_matrix", "chromium_experimental_subgroup_matrix"]),
    fragment: v.tuple([v.number(), v.number(), v.number()]),
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

/** One adapter's. */
const Entry = v.object({ tuned: v.string(), ...Kept.entries });

/** Entries by the tuner's key: adapter, limits, version of the kernels. Each is read alone: one may be damaged. */
const Cache = v.object({
  version: v.literal(version),
  adapters: v.record(v.string(), v.unknown()),
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

/**
 * What is kept under a key. Nothing where there is no file, or one of another version, or a damaged one, which `damage`
 * tells of.
 */
export async function readTuning(
  path: string,
  key: string,
): Promise<KeptTuning & { damage?: string }> {
  const { cache, damage } = await readCache(path);
  const none = { plans: {}, refused: [] };
  if (damage !== undefined) return { ...none, damage };
  if (!Object.hasOwn(cache.adapters, key)) return none;
  const read = v.safeParse(Entry, cache.adapters[key]);
  if (!read.success) return { ...none, damage: issueOf(read.issues) };
  const { plans, refused } = read.output;
  return { plans, refused };
}

/** Keeps this under a key, beside what there is of other adapters. Throws what the file system throws. */
export async function writeTuning(path: string, key: string, kept: KeptTuning): Promise<void> {
  const { adapters } = (await readCache(path)).cache;
  const { plans, refused } = kept;
  const tuned = new Date().toISOString();
  const cache = { version, adapters: { ...adapters, [key]: { tuned, plans, refused } } };
  await writeFileWhole(path, `${JSON.stringify(cache, null, 2)}\n`);
}

/** The keys of the adapters that the file keeps plans of; undefined where there is no file. Throws where it is damaged. */
export async function tunedAdapters(path: string): Promise<string[] | undefined> {
  const text = await textIfThere(path);
  if (text === undefined) return undefined;
  return Object.keys(
    v.parse(v.record(v.string(), Entry), v.parse(Cache, JSON.parse(text)).adapters),
  );
}

/** The file, which is empty where it cannot be used: what is lost costs some seconds. */
async function readCache(path: string): Promise<{ cache: Cache; damage?: string }> {
  const empty: Cache = { version, adapters: {} };
  try {
    const text = await textIfThere(path);
    if (text === undefined) return { cache: empty };
    const content: unknown = JSON.parse(text);
    const read = v.safeParse(Cache, content);
    if (read.success) return { cache: read.output };
    const isOther = isObject(content) && Number.isInteger(content.version) &&
      content.version !== version;
    return { cache: empty, ...(!isOther && { damage: issueOf(read.issues) }) };
  } catch (error) {
    return { cache: empty, damage: messageOf(error) };
  }
}
