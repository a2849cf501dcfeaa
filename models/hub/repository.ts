/** A repository on the hub: its files, and where they are. */

/** A repository on the hub. */
export interface Repository {
  type: "model" | "dataset";
  /** `org/name`. */
  name: string;
}

/** What the hub says of a repository's main branch. */
export interface RepositoryListing {
  /** Commit hash of `main`. */
  revision: string;
  files: RepositoryFile[];
}

export interface RepositoryFile {
  path: string;
  /** Bytes. */
  size: number;
  /**
   * The name under which the cache keeps the content: the SHA-256 of a large file (64 digits), else the SHA-1 that git
   * gives it (40 digits).
   */
  hash: string;
}

/** How a hub is asked. */
export interface HubAccess {
  /** The hub's address, without a slash at its end. */
  endpoint: string;
  /** For private and gated repositories. */
  token?: string;
  fetch: typeof fetch;
}

/** Where a file of a commit is fetched from. */
export function fileAddress(
  { type, name }: Repository,
  revision: string,
  path: string,
  { endpoint }: Pick<HubAccess, "endpoint">,
): string {
  const base = `${endpoint}/${type === "dataset" ? "datasets/" : ""}${name}/resolve/${revision}`;
  return `${base}/${path.split("/").map(encodeURIComponent).join("/")}`;
}
