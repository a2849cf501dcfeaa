/**
 * Models and data sets from the Hugging Face hub, kept in the standard cache folder that Python's
 * `huggingface_hub` uses too: `<cache>/models--org--name/{refs,snapshots,blobs}`. What `refs/main`
 * points to is used as it is, without asking the network; delete the folder to fetch anew.
 */
import { formatBytes } from "../../engine/bytes.ts";
import { join } from "node:path";
import { datasetInfo, downloadFileToCacheDir, listFiles, modelInfo } from "@huggingface/hub";
import { UserError } from "../errors.ts";
import {
  explainCacheError,
  explainHubError,
  HubError,
  HubUnreachable,
  NetworkFailure,
  withoutSecrets,
} from "./hub_errors.ts";
import type { HubSettings } from "./settings.ts";
import { writeFileWhole } from "./write.ts";

/** A repository on the hub. */
export interface Repository {
  type: "model" | "dataset";
  /** `org/name`. */
  name: string;
}

export interface RepositoryFile {
  path: string;
  /** Bytes. */
  size: number;
  /** Hash under which the cache keeps the content. */
  hash?: string;
}

/** What the hub says of a repository's main branch. */
export interface RepositoryListing {
  /** Commit hash of `main`. */
  revision: string;
  files: RepositoryFile[];
}

function repositoryFolder({ type, name }: Repository, settings: HubSettings): string {
  return join(settings.cacheFolder, [`${type}s`, ...name.split("/")].join("--"));
}

function snapshotFolder(repository: Repository, revision: string, settings: HubSettings): string {
  return join(repositoryFolder(repository, settings), "snapshots", revision);
}

/** A commit of a repository that the cache holds, wholly or in part. */
export interface Snapshot {
  folder: string;
  revision: string;
}

/** Where we keep which files a commit has, cached or not; Python's `huggingface_hub` looks past it. */
function listingPath(repository: Repository, revision: string, settings: HubSettings): string {
  return join(repositoryFolder(repository, settings), "listings", `${revision}.json`);
}

/**
 * Paths of all files that a cached commit has on the hub, so that a part is not taken for the
 * whole; undefined where another program filled the cache.
 */
export async function cachedListing(
  repository: Repository,
  { revision }: Snapshot,
  settings: HubSettings,
): Promise<string[] | undefined> {
  try {
    const text = await Deno.readTextFile(listingPath(repository, revision, settings));
    const paths: unknown = JSON.parse(text);
    return Array.isArray(paths) && paths.every((path) => typeof path === "string")
      ? paths
      : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw explainCacheError(error, settings);
  }
}

/** The cached snapshot that `refs/main` points to, which may hold only some files, or undefined. */
export async function cachedSnapshot(
  repository: Repository,
  settings: HubSettings,
): Promise<Snapshot | undefined> {
  try {
    const ref = join(repositoryFolder(repository, settings), "refs", "main");
    const revision = (await Deno.readTextFile(ref)).trim();
    if (!/^[0-9a-f]{40}$/.test(revision)) return undefined;
    const folder = snapshotFolder(repository, revision, settings);
    return (await Deno.stat(folder)).isDirectory ? { folder, revision } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw explainCacheError(error, settings);
  }
}

/** Seconds after which a server that sends no answer counts as out of reach. */
const answerWithin = 15;

const impatientFetch: typeof fetch = async (input, init) => {
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Error(`no answer within ${answerWithin} seconds`)),
    answerWithin * 1000,
  );
  const signal = init?.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
  try {
    return await fetch(input, { ...init, signal });
  } catch (error) {
    throw new NetworkFailure(error);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Keeps the hub package's `console.debug` and `console.info` out of our output. Calls must not
 * overlap: they would restore each other's silence.
 */
export async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { debug, info } = console;
  console.debug = console.info = () => {};
  try {
    return await work();
  } finally {
    console.debug = debug;
    console.info = info;
  }
}

/** Throws a UserError where HF_ENDPOINT is no address that can be asked. */
export function checkEndpoint({ endpoint }: HubSettings): void {
  if (/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) return;
  throw new HubError(
    `HF_ENDPOINT is "${withoutSecrets(endpoint)}", which is no address such as ` +
      `https://huggingface.co.`,
  );
}

/** Asks the hub; every failure becomes a `UserError`, of kind `HubUnreachable` where it is one. */
async function ask<Result>(
  repository: Repository,
  settings: HubSettings,
  work: (access: { hubUrl: string; accessToken?: string; fetch: typeof fetch }) => Promise<Result>,
): Promise<Result> {
  if (settings.offline) {
    throw new HubUnreachable(
      `HF_HUB_OFFLINE is set, and ${repository.name} is not in the cache folder ${settings.cacheFolder}.`,
    );
  }
  const { endpoint: hubUrl, token: accessToken } = settings;
  checkEndpoint(settings);
  try {
    return await quietly(() => work({ hubUrl, accessToken, fetch: impatientFetch }));
  } catch (error) {
    throw explainHubError(error, repository, settings);
  }
}

/** Lists the files of a repository's main branch. Throws a `UserError`; see {@link ask}. */
export function listRepository(
  repository: Repository,
  settings: HubSettings,
): Promise<RepositoryListing> {
  return ask(repository, settings, async (access) => {
    const { name, type } = repository;
    const query = { name, revision: "main", ...access };
    const { sha } = type === "model"
      ? await modelInfo({ ...query, additionalFields: ["sha"] })
      : await datasetInfo({ ...query, additionalFields: ["sha"] });
    if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha)) {
      throw new Error("the answer names no commit");
    }
    const files: RepositoryFile[] = [];
    const listing = listFiles({ repo: repository, revision: sha, recursive: true, ...access });
    for await (const { type, path, size, lfs, xetHash, oid } of listing) {
      if (type === "file") files.push({ path, size, hash: lfs?.oid ?? xetHash ?? oid });
    }
    return { revision: sha, files };
  });
}

/** Downloads one file into the cache, unless it is there already. */
async function downloadFile(
  repository: Repository,
  revision: string,
  file: RepositoryFile,
  settings: HubSettings,
): Promise<void> {
  const path = join(snapshotFolder(repository, revision, settings), file.path);
  const present = await Deno.stat(path).catch(() => undefined);
  if (present?.size === file.size) return;
  if (present !== undefined) await Deno.remove(path);
  const blob = join(repositoryFolder(repository, settings), "blobs", file.hash ?? "unknown");
  const blobIsOld = await Deno.stat(blob).then(() => true, () => false);
  settings.report?.(
    `Downloading ${file.path} (${formatBytes(file.size)}) of ${repository.name} to ` +
      settings.cacheFolder,
  );
  await ask(repository, settings, async (access) => {
    await downloadFileToCacheDir({
      repo: repository,
      path: file.path,
      revision,
      cacheDir: settings.cacheFolder,
      ...access,
    });
    const { size } = await Deno.stat(path);
    const linked = (await Deno.lstat(path)).isSymlink;
    // Where links cannot be made (Windows; Deno without access to all folders) the hub package
    // copies. Python's huggingface_hub keeps one of the two then, and so do we.
    if (!blobIsOld && (!linked || size !== file.size)) await Deno.remove(blob).catch(() => {});
    if (size !== file.size) {
      await Deno.remove(path);
      throw new Error(`${file.path} arrived with ${size} of ${file.size} bytes`);
    }
  });
}

/** Downloads the named files of a commit into the cache, in their order; see {@link keepSnapshot}. */
export async function downloadFiles(
  repository: Repository,
  { revision, files }: RepositoryListing,
  paths: readonly string[],
  settings: HubSettings,
): Promise<Snapshot> {
  for (const path of paths) {
    const file = files.find((file) => file.path === path);
    if (file === undefined) throw new UserError(`${repository.name} has no file ${path}.`);
    await downloadFile(repository, revision, file, settings);
  }
  return { folder: snapshotFolder(repository, revision, settings), revision };
}

/**
 * Points `refs/main` to a commit, once all that is needed of it is there: an interrupted download
 * is never taken for a whole one, and never hides an older one.
 */
export async function keepSnapshot(
  repository: Repository,
  { revision, files }: RepositoryListing,
  settings: HubSettings,
): Promise<void> {
  const listing = JSON.stringify(files.map(({ path }) => path));
  try {
    await writeFileWhole(listingPath(repository, revision, settings), listing);
    await writeFileWhole(join(repositoryFolder(repository, settings), "refs", "main"), revision);
  } catch (error) {
    throw explainHubError(error, repository, settings);
  }
}
