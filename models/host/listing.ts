/** What a hub lists, checked before anything is done with it: paths, sizes and hashes. */
import { UserError } from "../errors.ts";
import { HubFault } from "./hub_errors.ts";

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

/** Files of a repository, above which a listing is not read to its end. */
const mostFiles = 100_000;

const longestPath = 1000;

/** A text of the hub's, short enough for a sentence. */
const quoted = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 100);

/** Whether git could hold a file of that path: no honest hub lists another. */
function isGitPath(path: unknown): path is string {
  return typeof path === "string" && path.length <= longestPath && !path.includes("\0") &&
    path.split("/").every((part) => !["", ".", ".."].includes(part) && !/^\.git$/i.test(part));
}

/** An entry of a listing as a file. Throws a HubFault for what no repository can hold. */
export function checkedFile(
  { path, size, oid, lfs }: { path: unknown; size: unknown; oid?: unknown; lfs?: unknown },
): RepositoryFile {
  if (!isGitPath(path)) throw new HubFault(`a file that no repository can hold, ${quoted(path)}`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new HubFault(`a size of ${quoted(size)} for ${quoted(path)}`);
  }
  const large = typeof lfs === "object" && lfs !== null
    ? (lfs as { oid?: unknown }).oid
    : undefined;
  const hash = large ?? oid;
  const digits = large === undefined ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/;
  if (typeof hash !== "string" || !digits.test(hash)) {
    throw new HubFault(`a hash that is none, ${quoted(hash)}, for ${quoted(path)}`);
  }
  return { path, size, hash };
}

/** The files of a listing, each once. Throws a HubFault as {@link checkedFile} does, and for too many. */
export async function checkedFiles(
  entries: AsyncIterable<{ type: unknown; path: unknown; size: unknown }>,
): Promise<RepositoryFile[]> {
  const files = new Map<string, RepositoryFile>();
  let count = 0;
  for await (const entry of entries) {
    if (++count > mostFiles) throw new HubFault(`a listing of more than ${mostFiles} files`);
    if (typeof entry !== "object") throw new HubFault(`${quoted(entry)} where it lists a file`);
    if (entry.type !== "file") continue;
    const file = checkedFile(entry);
    if (files.has(file.path)) throw new HubFault(`${quoted(file.path)} listed twice`);
    files.set(file.path, file);
  }
  return [...files.values()];
}

/** Names that Windows keeps for devices. */
const device = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** Throws a UserError where a file's name, which git can hold, would mean something else on a disk, or cannot be there. */
export function checkStorable(path: string, os: string = Deno.build.os): void {
  const encoder = new TextEncoder();
  const windows = os === "windows";
  const refused = path.split("/").find((part) =>
    /[\\\p{Cc}]/u.test(part) || /^[a-z]:/i.test(part) || encoder.encode(part).length > 240 ||
    (windows && (device.test(part) || /[<>:"|?*]|[. ]$/.test(part)))
  );
  if (refused === undefined) return;
  throw new UserError(
    `The file ${quoted(path)} of the hub is not fetched: ${
      quoted(refused)
    } is no name for a file ` +
      `on this machine.`,
  );
}
