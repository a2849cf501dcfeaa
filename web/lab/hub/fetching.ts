/** Something on the hub that was looked up: what it is, how large, and how it is fetched. */
import { HubError } from "../../../models/hub/errors.ts";
import type {
  Repository,
  RepositoryFile,
  RepositoryListing,
} from "../../../models/hub/repository.ts";
import { fileAddress } from "../../../models/hub/repository.ts";
import { keepFile, keepListing, keptFile, keptListing } from "./kept_files.ts";
import { endpoint, explained, fetchListed, hubFetch } from "./request.ts";

/** Told of bytes as they come, those that were kept among them. */
export type Heard = (bytes: number) => void;

export interface Found<Made> {
  /** A sentence on what it is. */
  about: string;
  /** Of all its files, and of those that are not kept. */
  bytes: number;
  missingBytes: number;
  /** Fetches what is missing. Throws a UserError, or an AbortError where the signal ends it. */
  fetch(signal: AbortSignal, heard: Heard): Promise<Made>;
}

/** A repository at one commit. */
export interface OpenRepository {
  repository: Repository;
  listing: RepositoryListing;
}

const addressOf = ({ repository, listing }: OpenRepository, path: string) =>
  fileAddress(repository, listing.revision, path, { endpoint });

/** Lists a repository, as it was where something of it is kept. Throws a UserError. */
export async function open(repository: Repository, signal: AbortSignal): Promise<OpenRepository> {
  try {
    const kept = await keptListing(repository);
    if (kept) return { repository, listing: kept };
    const { listMain } = await import("../../../models/hub/listing.ts");
    const listing = await listMain(repository, { endpoint, fetch: hubFetch(signal) });
    return { repository, listing };
  } catch (error) {
    throw explained(error, repository);
  }
}

/** The files of those paths, in their order. */
export const filesAt = ({ listing }: OpenRepository, paths: readonly string[]): RepositoryFile[] =>
  paths.map((path) => listing.files.find((file) => file.path === path)!);

/** Bytes of files, and of those that are not kept. */
export async function sizeOf(
  opened: OpenRepository,
  files: readonly RepositoryFile[],
): Promise<{ bytes: number; missingBytes: number }> {
  let [bytes, missingBytes] = [0, 0];
  for (const { path, size } of files) {
    bytes += size;
    if (await keptFile(addressOf(opened, path)) === undefined) missingBytes += size;
  }
  return { bytes, missingBytes };
}

/** Files by path, fetched unless they are kept, and kept. Throws a UserError, or an AbortError. */
export async function take(
  opened: OpenRepository,
  files: readonly RepositoryFile[],
  signal: AbortSignal,
  heard: Heard,
): Promise<Map<string, Blob>> {
  const taken = new Map<string, Blob>();
  try {
    for (const file of files) {
      const url = addressOf(opened, file.path);
      let content = await keptFile(url);
      if (content?.size === file.size) heard(file.size);
      else {
        content = await fetchListed(url, file, signal, heard);
        await keep(opened, url, content);
      }
      taken.set(file.path, content);
    }
  } catch (error) {
    throw explained(error, opened.repository);
  }
  return taken;
}

async function keep({ repository, listing }: OpenRepository, url: string, content: Blob) {
  try {
    await keepListing(repository, listing);
    await keepFile(url, content);
  } catch (cause) {
    if (!(cause instanceof DOMException && cause.name === "QuotaExceededError")) throw cause;
    throw new HubError(
      `The browser has no room to keep ${repository.name}. Forget what is kept here, or free space on the disk.`,
      { cause },
    );
  }
}
