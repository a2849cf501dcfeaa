/** Which file, or files, a data set's name stands for: built-in sample, file, folder or hub. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseTable } from "../data/choose.ts";
import { isTable } from "../data/table.ts";
import { type Remedy, UserError } from "../errors.ts";
import {
  cachedListing,
  cachedSnapshot,
  checkContents,
  keepSnapshot,
  snapshotFiles,
} from "./cache.ts";
import { entriesOf, isMissing, readError } from "./files.ts";
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
  /** One file, or the shards of one table in their order. */
  paths: string[];
  notices: string[];
}

const otherDataset: Remedy = { kind: "otherDataset" };

/** Splits `org/name/path/in/it.csv` into repository and path. */
function parseHubName(name: string): { repository: Repository; path?: string } | undefined {
  const match = name.match(/^([\w.-]+\/[\w.-]+)(?:\/(.+))?$/);
  if (match === null || name.startsWith(".") || /\/\.+$/.test(match[1])) return undefined;
  // `data/emotions.csv` is a file that is not there, not a repository.
  if (match[2] === undefined && isTable(name)) return undefined;
  return { repository: { type: "dataset", name: match[1] }, path: match[2] };
}

/**
 * Finds a data set on the hub, the cache first. Throws a `UserError`, of kind `HubUnreachable` where
 * the cache does not hold it and there is no network.
 */
async function locateOnHub(
  repository: Repository,
  path: string | undefined,
  settings: HubSettings,
): Promise<Located> {
  const choose = (paths: string[]) => {
    if (path === undefined) return chooseTable(paths, repository.name);
    if (paths.includes(path)) return [path];
    throw new UserError(
      `The data set ${repository.name} has no file ${path}; it has ${
        paths.filter(isTable).join(", ")
      }.`,
    );
  };
  const located = (folder: string, revision: string, files: string[]): Located => ({
    name: path === undefined ? repository.name : `${repository.name}/${path}`,
    source: `${repository.name}@${revision}: ${files.join(", ")}`,
    sample: false,
    paths: files.map((file) => join(folder, file)),
    notices: [],
  });
  const cached = await cachedSnapshot(repository, settings);
  const present = cached && await snapshotFiles(repository, cached, settings);
  const all = cached && await cachedListing(repository, cached, settings);
  if (cached && present && all) {
    const files = choose(all);
    if (files.every((file) => present.includes(file))) {
      await checkContents(repository, cached, files, settings);
      return located(cached.folder, cached.revision, files);
    }
  }
  let listing: RepositoryListing;
  try {
    listing = await listRepository(repository, settings);
  } catch (error) {
    // Where another program filled the cache we do not know what else there is; it may do.
    const mayDo = path === undefined ? present?.some(isTable) : present?.includes(path);
    if (!isOutOfReach(error) || !cached || !present || all || !mayDo) throw error;
    const files = choose(present);
    await checkContents(repository, cached, files, settings);
    return located(cached.folder, cached.revision, files);
  }
  const files = choose(listing.files.map((file) => file.path));
  const { folder, revision } = await downloadFiles(repository, listing, files, settings);
  await keepSnapshot(repository, listing, settings);
  return located(folder, revision, files);
}

async function locateFolder(folder: string): Promise<Located> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) if (!entry.isDirectory) names.push(entry.name);
  const paths = chooseTable(names, folder).map((name) => join(folder, name));
  return { name: folder, source: paths.join(", "), sample: false, paths, notices: [] };
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
 * `org/name/path` for one file of it). Without a name it is {@link defaultDataset}, for which the
 * built-in sample stands in, under a notice, where it is not cached and there is no network.
 * What was named is never replaced: a `UserError` names the ways out.
 */
export async function locateDataset(
  name: string | undefined,
  settings: HubSettings,
): Promise<Located> {
  if (name === undefined) {
    try {
      return await locateOnHub({ type: "dataset", name: defaultDataset }, undefined, settings);
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
  if (info?.isDirectory) return await locateFolder(name);
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
    return await locateOnHub(hub.repository, hub.path, settings);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new UserError(
      `${error.message} There is no file or folder ${name} either.`,
      { cause: error, remedy: otherDataset },
    );
  }
}
