/** Which file, or files, a data set's name stands for: built-in sample, file, folder or hub. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseTable, type ChosenFiles, pathsInFolder } from "../data/choose.ts";
import { classNameFiles } from "../data/class_names.ts";
import { extensionOf, isTable } from "../data/kind.ts";
import { type Remedy, UserError } from "../errors.ts";
import { filesBelow, isMissing, readError } from "./files.ts";
import {
  cachedListing,
  cachedSnapshot,
  checkContents,
  keepSnapshot,
  snapshotFiles,
} from "./cache.ts";
import { downloadFiles, listRepository, type Repository, type RepositoryListing } from "./hub.ts";
import { HubError, HubUnreachable, isOutOfReach } from "./hub_errors.ts";
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

/** The files of a choice, part after part. */
const filesOf = ({ train, validation = [], test = [] }: ChosenFiles) => [
  ...train,
  ...validation,
  ...test,
];

/** A Parquet file names its classes itself. */
const besides = ({ train: [first] }: ChosenFiles, all: readonly string[]) =>
  extensionOf(first) === ".parquet" ? [] : classNameFiles.filter((name) => all.includes(name));

/** Files that name the classes are small; a larger one, in bytes, is something else. */
export const mostBeside = 10e6;

/** How many folders deep a folder's data may lie, as in `default/train/0000.parquet`. */
export const deepest = 2;

const otherDataset: Remedy = { kind: "otherDataset" };

/** Splits `org/name/path/in/it.csv` into repository and path. */
function parseHubName(name: string): { repository: Repository; path?: string } | undefined {
  const match = name.match(/^([\w.-]+\/[\w.-]+)(?:\/(.+))?$/);
  if (match === null || name.startsWith(".") || /\/\.+$/.test(match[1])) return undefined;
  // `data/emotions.csv` is a file that is not there, not a repository.
  if (match[2] === undefined && isTable(name)) return undefined;
  return { repository: { type: "dataset", name: match[1] }, path: match[2] };
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
  const choose = (paths: string[]): ChosenFiles => {
    if (path === undefined) {
      const chosen = chooseTable(paths, repository.name);
      return allParts ? chosen : { train: chosen.train, notices: [] };
    }
    if (paths.includes(path)) return { train: [path], notices: [] };
    const below = paths.filter((each) => each.startsWith(`${path}/`));
    if (below.some(isTable)) {
      const chosen = chooseTable(below, `${repository.name}/${path}`);
      return allParts ? chosen : { train: chosen.train, notices: [] };
    }
    throw new UserError(
      `The data set ${repository.name} has no file ${path}; it has ${
        paths.filter(isTable).join(", ")
      }.`,
    );
  };
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
  const hub = parseHubName(name);
  if (hub === undefined) {
    throw new UserError(
      `There is no file or folder ${name}, and a data set on the hub is named org/name.`,
      { remedy: otherDataset },
    );
  }
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
