/** Files of the hub that the browser keeps for this page (Cache Storage), so that they are fetched once. */
import {
  fileAddress,
  type Repository,
  type RepositoryListing,
} from "../../../models/hub/repository.ts";
import { endpoint } from "./request.ts";

/** The name of the page's cache. */
const cacheName = "hub";

/** A repository of which something is kept. */
export interface KeptRepository extends Repository {
  revision: string;
  bytes: number;
}

/** Where a listing is kept: an address of the hub's that holds nothing there. */
const listingKey = ({ type, name }: Repository) => `${endpoint}/${type}s/${name}?listing`;

const addressIn = (repository: Repository, revision: string) => (path: string) =>
  fileAddress(repository, revision, path, { endpoint });

/** The listing that was kept of a repository: its main branch as it was then. */
export async function keptListing(repository: Repository): Promise<RepositoryListing | undefined> {
  const found = await (await caches.open(cacheName)).match(listingKey(repository));
  return await found?.json();
}

export async function keepListing(repository: Repository, listing: RepositoryListing) {
  const kept = JSON.stringify({ ...listing, repository });
  await (await caches.open(cacheName)).put(listingKey(repository), new Response(kept));
}

export async function keptFile(url: string): Promise<Blob | undefined> {
  return await (await (await caches.open(cacheName)).match(url))?.blob();
}

/** Keeps a file. Throws where the browser has no room. */
export async function keepFile(url: string, content: Blob): Promise<void> {
  await (await caches.open(cacheName)).put(url, new Response(content));
}

/** What is kept, in the order of names. */
export async function keptRepositories(): Promise<KeptRepository[]> {
  const cache = await caches.open(cacheName);
  const addresses = (await cache.keys()).map(({ url }) => url);
  const found: KeptRepository[] = [];
  for (const key of addresses.filter((url) => url.endsWith("?listing"))) {
    const kept: RepositoryListing & { repository: Repository } = await (await cache.match(key))!
      .json();
    const address = addressIn(kept.repository, kept.revision);
    const files = kept.files.filter(({ path }) => addresses.includes(address(path)));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (bytes > 0) found.push({ ...kept.repository, revision: kept.revision, bytes });
  }
  return found.sort((one, other) => one.name < other.name ? -1 : 1);
}

/** Forgets a repository: its files, and which commit they were of. */
export async function forgetRepository(repository: Repository): Promise<void> {
  const cache = await caches.open(cacheName);
  const kept = await keptListing(repository);
  const address = addressIn(repository, kept?.revision ?? "");
  for (const { path } of kept?.files ?? []) await cache.delete(address(path));
  await cache.delete(listingKey(repository));
}
