/** Which file, or files, a data set's name stands for: built-in sample, file, folder or hub. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseTable, type ChosenFiles, pathsInFolder } from "../data/choose.ts";
import { isTable } from "../data/kind.ts";
import { UserError } from "../errors.ts";
import {
  besides,
  chooseOnHub,
  filesOf,
  type HubData,
  mostBeside,
  otherDataset,
  parseHubName,
} from "../hub/data_files.ts";
import { HubError, HubUnreachable, isOutOfReach } from "../hub/errors.ts";
import type { Repository, RepositoryListing } from "../hub/repository.ts";
import { filesBelow, isMissing, readError } from "./files.ts";
import {
  cachedListing,
  cachedSnapshot,
  checkContents,
  keepSnapshot,
  snapshotFiles,
} from "./cache.ts";
import { downloadFiles, listRepository } from "./hub.ts";
import type { HubSettings } from "./settings.ts";

/** The data set that is used where none is named. */
export const defaultDataset = "boltuix/emotions-dataset";

/** The sentences that are part of this project. */
const samplePath = fileURLToPath(
  new URL("../../assets/sample/emotions.csv", import.meta.url),
);

export interface Located {
  name: string;
  /** Where it came from, for people: a path, or `org/name@commit` and the file. */
  source: string;
  sample: boolean;
  /** One file, or the shards of one table in their order: the training part's, where there are others. */
  paths: string[];
  validation?: string[];
  test?: string[];
  /** Files that may name the classes. */
  beside?: string[];
  notices: string[];
}

/** What is looked for besides a name. */
interface Wanted {
  settings: HubSettings;
  /** Whether validation and test files are needed, where there are some. */
  allParts: boolean;
}

/** How many folders deep a folder's data may lie, as in `default/train/0000.parquet`. */
export const deepest = 2;

/** A sentence on a name that another program, or a shell, would have understood; "" for others. */
function otherWriting(name: string): string {
  const hub = /^(?:https?:\/\/huggingface\.co|hf:\/)\/datasets\/([\w.-]+\/[\w.-]+)/.exec(name)?.[1];
  if (hub !== undefined) return ` Give its name alone: ${hub}.`;
  if (/^file:\/\/\//.test(name)) return " Give the path alone, without file://.";
  if (/^\w+:\/\//.test(name)) return " Addresses are not fetched: download it first.";
  // A shell puts the home folder in a ~ where a word begins, which --dataset=~/x is not.
  return name.startsWith("~/") ? " A ~ within a word stays as it is: write $HOME." : "";
}

/** As {@link parseHubName}, of what is no path. Throws a UserError where it is no name of the hub's either. */
export function hubNameOf(name: string): HubData {
  const hub = parseHubName(name);
  if (hub !== undefined) return hub;
  throw new UserError(
    `There is no file or folder ${name}, and a data set on the hub is named org/name.` +
      otherWriting(name),
    { remedy: otherDataset },
  );
}

/** Throws a UserError where the cache has a data set's training part, and not its others. */
function checkOthers(chosen: ChosenFiles, present: readonly string[], cause: HubError): void {
  const missing = filesOf(chosen).filter((file) => !present.includes(file));
  if (missing.some((file) => chosen.train.includes(file))) return;
  throw new UserError(
    `The cache holds the training part, and not ${missing.join(", ")}. ${cause.message}`,
    { cause, remedy: { kind: "trainingPartAlone" } },
  );
}

/**
 * Finds a data set on the hub, the cache first. Throws a `UserError`, of kind `HubUnreachable` where
 * the cache does not hold it and there is no network.
 */
async function locateOnHub(
  repository: Repository,
  path: string | undefined,
  { settings, allParts }: Wanted,
): Promise<Located> {
  const choose = (paths: readonly string[]) => chooseOnHub({ repository, path }, paths, allParts);
  const located = (
    { folder, revision }: { folder: string; revision: string },
    chosen: ChosenFiles,
    present: readonly string[],
  ): Located => {
    const within = (files: string[] | undefined) => files?.map((file) => join(folder, file));
    return {
      name: path === undefined ? repository.name : `${repository.name}/${path}`,
      source: `${repository.name}@${revision}: ${filesOf(chosen).join(", ")}`,
      sample: false,
      paths: within(chosen.train)!,
      validation: within(chosen.validation),
      test: within(chosen.test),
      beside: within(besides(chosen, present)),
      notices: chosen.notices,
    };
  };
  const fromCache = async (
    snapshot: { folder: string; revision: string },
    chosen: ChosenFiles,
    present: readonly string[],
  ) => {
    const files = [...filesOf(chosen), ...besides(chosen, present)];
    await checkContents(repository, snapshot, files, settings);
    return located(snapshot, chosen, present);
  };
  const cached = await cachedSnapshot(repository, settings);
  const present = cached && await snapshotFiles(repository, cached, settings);
  const all = cached && await cachedListing(repository, cached, settings);
  if (cached && present && all) {
    const chosen = choose(all);
    if (filesOf(chosen).every((file) => present.includes(file))) {
      return await fromCache(cached, chosen, present);
    }
  }
  let listing: RepositoryListing;
  try {
    listing = await listRepository(repository, settings);
  } catch (error) {
    if (isOutOfReach(error) && present && all) checkOthers(choose(all), present, error);
    // Where another program filled the cache we do not know what else there is; it may do.
    const mayDo = path === undefined ? present?.some(isTable) : present?.includes(path);
    if (!isOutOfReach(error) || !cached || !present || all || !mayDo) throw error;
    return await fromCache(cached, choose(present), present);
  }
  const listed = listing.files.map((file) => file.path);
  const chosen = choose(listed);
  const small = listing.files.filter(({ size }) => size <= mostBeside).map(({ path }) => path);
  const files = [...filesOf(chosen), ...besides(chosen, small)];
  const snapshot = await downloadFiles(repository, listing, files, settings);
  await keepSnapshot(repository, listing, settings);
  return located(snapshot, chosen, listed);
}

async function locateFolder(folder: string, allParts: boolean): Promise<Located> {
  // A folder below may be nobody's business, and closed.
  const all = await filesBelow(folder, "", deepest).catch(() => filesBelow(folder, "", 0));
  const chosen = chooseTable(pathsInFolder(all), folder);
  const within = (files: string[] | undefined) => files?.map((name) => join(folder, name));
  return {
    name: folder,
    source: within(allParts ? filesOf(chosen) : chosen.train)!.join(", "),
    sample: false,
    paths: within(chosen.train)!,
    ...(allParts && { validation: within(chosen.validation), test: within(chosen.test) }),
    beside: within(besides(chosen, all)),
    notices: allParts ? chosen.notices : [],
  };
}

/** The built-in sample. */
export function locateSample(notices: string[] = []): Located {
  return {
    name: "sample",
    source: "built-in sample",
    sample: true,
    paths: [samplePath],
    notices,
  };
}

/**
 * Finds the files of a data set: a path to a file or a folder, or a hub id (`org/name`, or
 * `org/name/path` for one file or folder of it). Without a name it is {@link defaultDataset}, for which the
 * built-in sample stands in, under a notice, where it is not cached and there is no network.
 * What was named is never replaced: a `UserError` names the ways out. Without `allParts` it is the training part alone.
 */
export async function locateDataset(
  name: string | undefined,
  settings: HubSettings,
  allParts = true,
): Promise<Located> {
  const wanted = { settings, allParts };
  if (name === undefined) {
    try {
      return await locateOnHub({ type: "dataset", name: defaultDataset }, undefined, wanted);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (!(error instanceof HubUnreachable)) {
        throw new HubError(error.message, { cause: error, remedy: otherDataset });
      }
      return locateSample([
        `BUILT-IN SAMPLE INSTEAD OF ${defaultDataset}: ${error.message} ` +
        `The results of this run are those of the built-in sample and carry its name.`,
      ]);
    }
  }
  const info = await Deno.stat(name).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw readError(name, error);
  });
  if (info?.isDirectory) return await locateFolder(name, allParts);
  if (info !== undefined) {
    return { name, source: name, sample: false, paths: [name], notices: [] };
  }
  const hub = hubNameOf(name);
  try {
    return await locateOnHub(hub.repository, hub.path, wanted);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new UserError(
      `${error.message} There is no file or folder ${name} either.`,
      { cause: error, remedy: otherDataset },
    );
  }
}
