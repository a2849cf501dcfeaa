/**
 * What a repository of the hub holds, without downloading it: from the cache where that has what is
 * asked for, else from the hub, whose files are read in parts.
 */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { type Folder, folderOf, pathIn } from "../files/folder.ts";
import { cachedListing, cachedSnapshot, checkContents, snapshotFiles } from "./cache.ts";
import { hostFolder } from "./files.ts";
import { ask, listRepository } from "./hub.ts";
import { fileAddress, type Repository, type RepositoryListing } from "../hub/repository.ts";
import { HubFault, isOutOfReach } from "../hub/errors.ts";
import type { RepositoryFile } from "../hub/repository.ts";
import { fileHeaders, hubFetch } from "./request.ts";
import { withoutPassword } from "./secrets.ts";
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
  const present = await snapshotFiles(repository, snapshot, settings);
  // Where another program filled the cache we do not know what else there is.
  const all = await cachedListing(repository, snapshot, settings) ?? present;
  const wanted = needed(all);
  const there = wanted.filter((path) => present.includes(path));
  await checkContents(repository, snapshot, there, settings);
  return {
    repository,
    revision,
    from,
    folder: { ...hostFolder(from), name: repository.name },
    files: present.map((path) => ({ path })),
    complete: wanted.length > 0 && there.length === wanted.length,
  };
}

/** Asks the hub. Throws a `UserError`, see {@link ask}. */
async function openOnHub(
  repository: Repository,
  settings: HubSettings,
): Promise<OpenRepository> {
  const listing = await listRepository(repository, settings);
  return {
    repository,
    revision: listing.revision,
    from: withoutPassword(settings.endpoint),
    folder: hubFolder(repository, listing, settings),
    files: listing.files,
  };
}

/** Bytes up to which a file is fetched whole where a server does not send parts of it. */
const wholeBytes = 20e6;

/** A file in parts, or whole where that must and may be. Reading throws a UserError where it cannot be had. */
function hubFile(
  repository: Repository,
  revision: string,
  { path, size }: RepositoryFile,
  settings: HubSettings,
): ByteSource {
  const url = fileAddress(repository, revision, path, settings);
  let whole: Uint8Array | undefined;
  const fetchPart = async (begin: number, end: number): Promise<ArrayBuffer> => {
    const headers = { ...fileHeaders(settings), range: `bytes=${begin}-${end - 1}` };
    const most = size <= wholeBytes ? size : end - begin;
    const response = await hubFetch(settings, most)(url, { headers });
    const bytes = await response.bytes();
    const expected = response.status === 206 ? end - begin : size;
    if (bytes.length !== expected) {
      throw new HubFault(`${bytes.length} bytes of ${path} instead of ${expected}`);
    }
    if (response.status === 206) return bytes.buffer;
    whole = bytes;
    return bytes.slice(begin, end).buffer;
  };
  return {
    name: pathIn(repository, path),
    byteLength: size,
    async slice(begin, end = size) {
      const last = Math.min(end, size);
      if (last <= begin) return new ArrayBuffer(0);
      if (whole !== undefined) return whole.slice(begin, last).buffer as ArrayBuffer;
      return await ask(repository, settings, () => fetchPart(begin, last));
    },
  };
}

/** A commit's files as a folder. */
function hubFolder(
  repository: Repository,
  { revision, files }: RepositoryListing,
  settings: HubSettings,
): Folder {
  const { name } = repository;
  const paths = files.map(({ path }) => path).sort();
  return folderOf({
    name,
    list: () => Promise.resolve(paths),
    has: (path) => Promise.resolve(paths.includes(path)),
    open: (path) => {
      const file = files.find((file) => file.path === path);
      return file === undefined
        ? Promise.reject(new UserError(`${name} has no file ${path}.`))
        : Promise.resolve(hubFile(repository, revision, file, settings));
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
      if (isOutOfReach(error) && cached.length > 0) {
        return { ...cached[0], unreachable: error.message };
      }
      if (!(error instanceof UserError) || isOutOfReach(error)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}
