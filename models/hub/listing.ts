/**
 * What a hub lists of a repository: the hub's package asks, over requests of the caller's, and the answers are checked
 * before anything is done with them: paths, sizes and hashes.
 */
import { datasetInfo, listFiles, modelInfo } from "@huggingface/hub";
import { shown } from "../files/json.ts";
import { HubFault } from "./errors.ts";
import type { HubAccess, Repository, RepositoryFile, RepositoryListing } from "./repository.ts";

/** Files of a repository, above which a listing is not read to its end. */
const mostFiles = 100_000;

const longestPath = 1000;

/** Whether git could hold a file of that path: no honest hub lists another. */
function isGitPath(path: unknown): path is string {
  return typeof path === "string" && path.length <= longestPath && !path.includes("\0") &&
    path.split("/").every((part) => !["", ".", ".."].includes(part) && !/^\.git$/i.test(part));
}

/** An entry of a listing as a file. Throws a HubFault for what no repository can hold. */
function checkedFile(
  { path, size, oid, lfs }: { path: unknown; size: unknown; oid?: unknown; lfs?: unknown },
): RepositoryFile {
  if (!isGitPath(path)) throw new HubFault(`a file that no repository can hold, ${shown(path)}`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new HubFault(`a size of ${shown(size)} for ${shown(path)}`);
  }
  const large = typeof lfs === "object" && lfs !== null
    ? (lfs as { oid?: unknown }).oid
    : undefined;
  const hash = large ?? oid;
  const digits = large === undefined ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/;
  if (typeof hash !== "string" || !digits.test(hash)) {
    throw new HubFault(`a hash that is none, ${shown(hash)}, for ${shown(path)}`);
  }
  return { path, size, hash };
}

/** The files of a listing, each once. Throws a HubFault as {@link checkedFile} does, and for too many. */
async function checkedFiles(
  entries: AsyncIterable<{ type: unknown; path: unknown; size: unknown }>,
): Promise<RepositoryFile[]> {
  const files = new Map<string, RepositoryFile>();
  let count = 0;
  for await (const entry of entries) {
    if (++count > mostFiles) throw new HubFault(`a listing of more than ${mostFiles} files`);
    if (typeof entry !== "object") throw new HubFault(`${shown(entry)} where it lists a file`);
    if (entry.type !== "file") continue;
    const file = checkedFile(entry);
    if (files.has(file.path)) throw new HubFault(`${shown(file.path)} listed twice`);
    files.set(file.path, file);
  }
  return [...files.values()];
}

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

/** Lists the files of a repository's main branch. Throws what `fetch` does, and a HubFault for what no hub lists. */
export function listMain(
  repository: Repository,
  { endpoint: hubUrl, token: accessToken, fetch }: HubAccess,
): Promise<RepositoryListing> {
  return quietly(async () => {
    const { name, type } = repository;
    const access = { hubUrl, accessToken, fetch };
    const query = { name, revision: "main", ...access };
    const { sha } = type === "model"
      ? await modelInfo({ ...query, additionalFields: ["sha"] })
      : await datasetInfo({ ...query, additionalFields: ["sha"] });
    if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha)) {
      throw new HubFault("no commit by its hash");
    }
    const entries = listFiles({ repo: repository, revision: sha, recursive: true, ...access });
    return { revision: sha, files: await checkedFiles(entries) };
  });
}
