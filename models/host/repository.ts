/**
 * What a repository of the hub holds, without downloading it: from the cache where that has what is
 * asked for, else from the hub, whose files are read in parts.
 */
import { messageOf, UserError } from "../errors.ts";
import { type ByteSource, bytesSource, rangeSource } from "../files/byte_source.ts";
import { type Folder, folderOf, pathIn } from "../files/folder.ts";
import { filesBelow, hostFolder } from "./files.ts";
import {
  cachedListing,
  cachedSnapshot,
  listRepository,
  type Repository,
  type RepositoryListing,
} from "./hub.ts";
import { HubUnreachable, withoutSecrets } from "./hub_errors.ts";
import type { HubSettings } from "./settings.ts";

export interface OpenRepository {
  repository: Repository;
  /** Commit hash. */
  revision: string;
  /** The hub's address, or the folder of the cache. */
  from: string;
  /** Has the repository's name. */
  folder: Folder;
  /** Paths, and bytes where the hub was asked. */
  files: { path: string; size?: number }[];
  /** Why the hub was not asked for what the cache lacks. */
  unreachable?: string;
}

/** Which of a repository's paths have to be at hand. */
export type Needed = (paths: readonly string[]) => readonly string[];

/** The cached commit, and whether it has all that is needed; undefined where none is cached. */
async function openCached(
  repository: Repository,
  needed: Needed,
  settings: HubSettings,
): Promise<OpenRepository & { complete: boolean } | undefined> {
  const snapshot = await cachedSnapshot(repository, settings);
  if (snapshot === undefined) return undefined;
  const { folder: from, revision } = snapshot;
  const present = await filesBelow(from);
  // Where another program filled the cache we do not know what else there is.
  const all = await cachedListing(repository, snapshot, settings) ?? present;
  const wanted = needed(all);
  return {
    repository,
    revision,
    from,
    folder: { ...hostFolder(from), name: repository.name },
    files: present.map((path) => ({ path })),
    complete: wanted.length > 0 && wanted.every((path) => present.includes(path)),
  };
}

/** Asks the hub. Throws a `UserError`, of kind `HubUnreachable` where it cannot be reached. */
async function openOnHub(
  repository: Repository,
  settings: HubSettings,
): Promise<OpenRepository> {
  const listing = await listRepository(repository, settings);
  return {
    repository,
    revision: listing.revision,
    from: withoutSecrets(settings.endpoint),
    folder: hubFolder(repository, listing, settings),
    files: listing.files,
  };
}

/** Bytes up to which a file is fetched whole where a server does not send parts of it. */
const wholeBytes = 20e6;

/** A file in parts, or whole where that must and may be. Throws a UserError where it cannot be had. */
async function hubFile(url: string, size: number, headers: HeadersInit): Promise<ByteSource> {
  try {
    return await rangeSource(url, { headers });
  } catch (error) {
    if (!(error instanceof UserError) || size > wholeBytes) throw error;
    const response = await fetch(url, { headers }).catch((cause) => {
      throw new UserError(`Cannot get ${url}: ${messageOf(cause)}.`, { cause });
    });
    if (response.ok) return bytesSource(new Uint8Array(await response.arrayBuffer()), url);
    await response.body?.cancel();
    throw error;
  }
}

/** A commit's files as a folder. */
function hubFolder(
  repository: Repository,
  { revision, files }: RepositoryListing,
  { endpoint, token }: HubSettings,
): Folder {
  const { type, name } = repository;
  const paths = files.map(({ path }) => path).sort();
  const base = `${endpoint}/${type === "dataset" ? "datasets/" : ""}${name}/resolve/${revision}`;
  const headers = {
    "accept-encoding": "identity", // no part of a compressed file
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return folderOf({
    name,
    list: () => Promise.resolve(paths),
    has: (path) => Promise.resolve(paths.includes(path)),
    open: async (path) => {
      const file = files.find((file) => file.path === path);
      if (file === undefined) throw new UserError(`${name} has no file ${path}.`);
      const url = `${base}/${path.split("/").map(encodeURIComponent).join("/")}`;
      return { ...await hubFile(url, file.size, headers), name: pathIn({ name }, path) };
    },
  });
}

/**
 * Opens the first of these repositories that the cache holds with all that is needed, else the first
 * that the hub has, else what the cache has of one where the hub cannot be reached. Throws the hub's
 * `UserError` of the first where there is none.
 */
export async function openRepository(
  candidates: readonly Repository[],
  needed: Needed,
  settings: HubSettings,
): Promise<OpenRepository> {
  const cached: OpenRepository[] = [];
  for (const repository of candidates) {
    const opened = await openCached(repository, needed, settings);
    if (opened?.complete) return opened;
    if (opened) cached.push(opened);
  }
  let refused: unknown;
  for (const repository of candidates) {
    try {
      return await openOnHub(repository, settings);
    } catch (error) {
      if (error instanceof HubUnreachable && cached.length > 0) {
        return { ...cached[0], unreachable: error.message };
      }
      if (!(error instanceof UserError) || error instanceof HubUnreachable) throw error;
      refused ??= error;
    }
  }
  throw refused;
}
