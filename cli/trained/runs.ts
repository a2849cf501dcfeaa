/** Several trained runs that are used side by side: what they are called, and the base that they share. */
import { basename } from "node:path";
import { UserError } from "../../models/errors.ts";
import { type ResolvedModel, resolveModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import { findRun, type Sizes, sizesOf, type TrainedRun } from "./run.ts";

/** A run, what it is called beside the others, and how texts are put before it. */
export interface NamedRun {
  name: string;
  run: TrainedRun;
  sizes: Sizes;
}

/** The folders' own names where these tell them apart, else the paths as they were given. */
export function runNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  return new Set(names).size === names.length ? names : [...paths];
}

/** Whether a run has all weights of its own, and lies over no base. */
export const isWhole = ({ method }: Pick<TrainedRun, "method">): boolean =>
  definitionOf(method).trainsAll;

/** As {@link resolveModel}, each name once: the files of a base from the hub's cache are hashed whole each time. */
function resolveOnce(): typeof resolveModel {
  const known = new Map<string | undefined, Promise<ResolvedModel>>();
  return (name, hub) => {
    const model = known.get(name) ?? resolveModel(name, hub);
    known.set(name, model);
    return model;
  };
}

/**
 * Finds trained runs by their folders; see {@link findRun}. Throws a UserError where one is named twice, and where
 * two lie over different bases.
 */
export async function findRuns(
  paths: readonly string[],
  modelName: string | undefined,
  asked: Partial<Sizes> & { labels?: string },
  hub: HubSettings,
): Promise<NamedRun[]> {
  const found: TrainedRun[] = [];
  const resolve = resolveOnce();
  for (const path of paths) found.push(await findRun(path, modelName, hub, asked.labels, resolve));
  const folders = found.map(({ folder }) => Deno.realPathSync(folder.name));
  const twice = folders.findIndex((folder, place) => folders.indexOf(folder) !== place);
  if (twice >= 0) {
    throw new UserError(`${paths[twice]} is named twice. Name each run once.`, { exitCode: 2 });
  }
  const names = runNames(found.map(({ folder }) => folder.name));
  checkBases(found, names);
  return found.map((run, place) => ({ name: names[place], run, sizes: sizesOf(run, asked) }));
}

/** Refuses runs over different bases; one that is whole needs none. */
function checkBases(runs: readonly TrainedRun[], names: readonly string[]): void {
  const baseOf = ({ model: { folder } }: TrainedRun) => Deno.realPathSync(folder);
  const first = runs.findIndex((run) => !isWhole(run));
  const other = runs.findIndex((run) => !isWhole(run) && baseOf(run) !== baseOf(runs[first]));
  if (other < 0) return;
  const described = (place: number) => `${names[place]} lies over ${runs[place].model.name}`;
  throw new UserError(
    `${described(first)}, but ${described(other)}: runs that are used side by side share one ` +
      `base model. Label the texts with each alone.`,
    { exitCode: 2 },
  );
}
