/**
 * Models and data sets from the Hugging Face hub, kept in the standard cache folder (see cache.ts). What `refs/main`
 * points to is used as it is, without asking the network; delete the folder to fetch anew. Listings are asked for over
 * requests of ours (request.ts) and checked (../hub/listing.ts); files are fetched by download.ts.
 */
import { formatBytes } from "../../engine/bytes.ts";
import { basename, join, relative } from "node:path";
import { UserError } from "../errors.ts";
import { folderWithin, repositoryFolder, type Snapshot } from "./cache.ts";
import { holds } from "./content.ts";
import { downloadBlob } from "./download.ts";
import { HubError, HubUnreachable } from "../hub/errors.ts";
import { listMain } from "../hub/listing.ts";
import {
  fileAddress,
  type Repository,
  type RepositoryFile,
  type RepositoryListing,
} from "../hub/repository.ts";
import { explainHubError } from "./hub_errors.ts";
import { hubFetch } from "./request.ts";
import { withoutPassword } from "./secrets.ts";
import type { HubSettings } from "./settings.ts";
import { checkStorable } from "./storable.ts";

/** Throws a UserError where HF_ENDPOINT is no address that can be asked. */
export function checkEndpoint({ endpoint }: HubSettings): void {
  const control = /[\s\p{Cc}]/u.test(endpoint);
  if (!control && /^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) return;
  throw new HubError(
    `HF_ENDPOINT is "${withoutPassword(endpoint)}", which is no address such as ` +
      `https://huggingface.co.`,
  );
}

/** Asks the hub; every failure becomes a `UserError`, of kind `HubUnreachable` where there is no network. */
export async function ask<Result>(
  repository: Repository,
  settings: HubSettings,
  work: () => Promise<Result>,
): Promise<Result> {
  if (settings.offline) {
    throw new HubUnreachable(
      `HF_HUB_OFFLINE is set, and ${repository.name} is not in the cache folder ${settings.cacheFolder}.`,
    );
  }
  checkEndpoint(settings);
  try {
    return await work();
  } catch (error) {
    throw explainHubError(error, repository, settings);
  }
}

/** Lists the files of a repository's main branch. Throws a `UserError`; see {@link ask}. */
export function listRepository(
  repository: Repository,
  settings: HubSettings,
): Promise<RepositoryListing> {
  const { endpoint, token } = settings;
  return ask(
    repository,
    settings,
    () => listMain(repository, { endpoint, token, fetch: hubFetch(settings) }),
  );
}

/**
 * Makes a link to a blob, in place of whatever is there; where none can be made, as on Windows, the blob itself takes its
 * place, as in Python.
 */
async function linkTo(blob: string, folder: string, name: string): Promise<void> {
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  const linked = await Deno.symlink(relative(folder, blob), temporary).then(
    () => true,
    () => false,
  );
  await Deno.rename(linked ? temporary : blob, join(folder, name));
}

/** Downloads one file into the cache, unless it is there already, whole. */
async function downloadFile(
  repository: Repository,
  revision: string,
  file: RepositoryFile,
  settings: HubSettings,
): Promise<void> {
  checkStorable(file.path);
  const base = repositoryFolder(repository, settings);
  const blob = join(await folderWithin(base, ["blobs"]), file.hash);
  const parts = ["snapshots", revision, ...file.path.split("/")];
  const folder = await folderWithin(base, parts.slice(0, -1));
  const name = basename(file.path);
  const isOwn = (await Deno.lstat(join(folder, name)).catch(() => undefined))?.isFile;
  if (isOwn && await holds(join(folder, name), file)) return;
  if (!await holds(blob, file)) {
    await Deno.remove(blob).catch(() => {}); // a damaged one, or none
    settings.report?.(
      `Downloading ${file.path} (${formatBytes(file.size)}) of ${repository.name} to ` +
        settings.cacheFolder,
    );
    await downloadBlob(
      fileAddress(repository, revision, file.path, settings),
      file,
      blob,
      settings,
    );
  }
  await linkTo(blob, folder, name);
}

/**
 * Downloads the named files of a commit into the cache, in their order, each with the size and the hash that the hub
 * lists. Throws a `UserError`; see {@link ask}.
 */
export async function downloadFiles(
  repository: Repository,
  { revision, files }: RepositoryListing,
  paths: readonly string[],
  settings: HubSettings,
): Promise<Snapshot> {
  for (const path of paths) {
    const file = files.find((file) => file.path === path);
    if (file === undefined) throw new UserError(`${repository.name} has no file ${path}.`);
    await ask(repository, settings, () => downloadFile(repository, revision, file, settings));
  }
  return { folder: join(repositoryFolder(repository, settings), "snapshots", revision), revision };
}
