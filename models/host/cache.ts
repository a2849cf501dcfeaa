/**
 * The standard cache folder of Python's `huggingface_hub`: `<cache>/models--org--name/{refs,snapshots,blobs}`, where a
 * snapshot's files are links to blobs that are named by their hashes. Nothing is read or written through a link that
 * leads out of it, and what is read has the hash that it is named by.
 */
import { basename, join, relative, sep } from "node:path";
import { UserError } from "../errors.ts";
import { hasHash } from "./content.ts";
import { isMissing } from "./files.ts";
import type { Repository, RepositoryListing } from "../hub/repository.ts";
import { explainCacheError, explainHubError } from "./hub_errors.ts";
import type { HubSettings } from "./settings.ts";
import { writeFileWhole } from "./write.ts";

export function repositoryFolder({ type, name }: Repository, settings: HubSettings): string {
  return join(settings.cacheFolder, [`${type}s`, ...name.split("/")].join("--"));
}

/** A commit of a repository that the cache holds, wholly or in part. */
export interface Snapshot {
  folder: string;
  revision: string;
}

/**
 * A folder within one, made where it is missing. Throws a UserError where a link is in the way, which could lead
 * anywhere.
 */
export async function folderWithin(base: string, parts: readonly string[]): Promise<string> {
  await Deno.mkdir(base, { recursive: true });
  let folder = base;
  for (const part of parts) {
    folder = join(folder, part);
    const info = await Deno.lstat(folder).catch((error) => {
      if (!isMissing(error)) throw error;
    });
    if (info?.isSymlink) {
      throw new UserError(`${folder} is a link, where the cache has folders. Remove it.`);
    }
    if (info === undefined) await Deno.mkdir(folder, { recursive: true });
  }
  return folder;
}

/** Where we keep which files a commit has, cached or not; Python's `huggingface_hub` looks past it. */
const listingName = (revision: string) => `${revision}.json`;

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
    const folder = join(repositoryFolder(repository, settings), "listings");
    const text = await Deno.readTextFile(join(folder, listingName(revision)));
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
    const base = repositoryFolder(repository, settings);
    const revision = (await Deno.readTextFile(join(base, "refs", "main"))).trim();
    if (!/^[0-9a-f]{40}$/.test(revision)) return undefined;
    const folder = join(base, "snapshots", revision);
    return (await Deno.stat(folder)).isDirectory ? { folder, revision } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw explainCacheError(error, settings);
  }
}

/** Where a link of a snapshot leads, or undefined where its blob is gone. Throws a UserError where it leads out of the cache. */
async function targetOf(
  link: string,
  repository: Repository,
  settings: HubSettings,
): Promise<string | undefined> {
  const target = await Deno.realPath(link).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (target === undefined) return undefined;
  // Newer versions of Python's huggingface_hub share blobs between repositories there.
  const homes = [repositoryFolder(repository, settings), join(settings.cacheFolder, "blobs")];
  for (const home of homes) {
    const real = await Deno.realPath(home).catch(() => undefined);
    if (real !== undefined && target.startsWith(`${real}${sep}`)) return target;
  }
  throw new UserError(
    `${link} leads out of the cache, to ${target}. Delete it, and it is fetched anew.`,
  );
}

/**
 * Paths of the files that a snapshot holds, sorted. Throws a UserError where a link leads out of the cache; one whose
 * blob is gone does not count.
 */
export async function snapshotFiles(
  repository: Repository,
  { folder }: Snapshot,
  settings: HubSettings,
): Promise<string[]> {
  const found: string[] = [];
  const walk = async (below: string) => {
    for await (const entry of Deno.readDir(below)) {
      const path = join(below, entry.name);
      if (entry.isDirectory) await walk(path);
      else if (
        entry.isFile ||
        (entry.isSymlink && await targetOf(path, repository, settings) !== undefined)
      ) found.push(relative(folder, path).replaceAll(sep, "/"));
    }
  };
  try {
    await walk(folder);
  } catch (error) {
    throw explainCacheError(error, settings);
  }
  return found.sort();
}

/**
 * Reads files of a snapshot whole, and throws a UserError where one holds not what its blob's name says, a hash. What
 * is no link, as where a system makes none, has no such name and passes.
 */
export async function checkContents(
  repository: Repository,
  { folder }: Snapshot,
  paths: readonly string[],
  settings: HubSettings,
): Promise<void> {
  for (const path of paths) {
    const link = join(folder, path);
    try {
      if (!(await Deno.lstat(link)).isSymlink) continue;
      const target = await targetOf(link, repository, settings);
      // The blob's name in this repository; a shared one is named by another hash.
      const name = basename(await Deno.readLink(link));
      if (target === undefined || await hasHash(target, name) !== false) continue;
      throw new UserError(
        `${path} of ${repository.name} is damaged in the cache: ${target} does not hold what its ` +
          `hash says. Delete that file, and it is fetched anew.`,
      );
    } catch (error) {
      throw explainCacheError(error, settings);
    }
  }
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
  const base = repositoryFolder(repository, settings);
  try {
    const listings = await folderWithin(base, ["listings"]);
    await writeFileWhole(join(listings, listingName(revision)), listing);
    await writeFileWhole(join(await folderWithin(base, ["refs"]), "main"), revision);
  } catch (error) {
    throw explainHubError(error, repository, settings);
  }
}
