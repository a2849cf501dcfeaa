/**
 * One file from the hub to its blob in the cache: gone on with where it broke off, hashed as it comes, and in place only
 * when its size and hash are those that the hub lists.
 */
import { dirname } from "node:path";
import { statfs } from "node:fs/promises";
import { formatBytes } from "../../engine/bytes.ts";
import { UserError } from "../errors.ts";
import { hasherFor, holds, readAll } from "./content.ts";
import { NetworkFailure, otherCache } from "./hub_errors.ts";
import { HubAnswer, HubFault } from "../hub/errors.ts";
import type { RepositoryFile } from "../hub/repository.ts";
import { fileHeaders, patienceOf, piecesOf, requestHub } from "./request.ts";
import type { HubSettings } from "./settings.ts";

export interface DownloadProgress {
  path: string;
  /** Bytes there now, and of the whole file. */
  done: number;
  total: number;
  /** Of what came since the download began. */
  bytesPerSecond: number;
}

/** Times in a row that a connection may break before it has brought this many bytes. */
const mostBreaks = 4;
const fewBytes = 1 << 20;

/** Milliseconds between two reports of progress. */
const reportEvery = 200;

async function freeOnDisk(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined; // not permitted, or a file system that does not tell
  }
}

async function checkRoom(missing: number, path: string, blob: string, settings: HubSettings) {
  const free = await (settings.freeBytes ?? freeOnDisk)(dirname(blob));
  if (free === undefined || missing <= free) return;
  throw new UserError(
    `Cannot store ${path} in the cache folder ${settings.cacheFolder}: it needs ` +
      `${formatBytes(missing)}, and the disk has ${formatBytes(free)} free. ${otherCache}`,
  );
}

/** A file that is partly there, with the hash of that part. */
interface Part {
  file: Deno.FsFile;
  path: string;
  done: number;
  hasher: NonNullable<ReturnType<typeof hasherFor>>;
}

const newHasher = ({ hash, size }: RepositoryFile) => {
  const hasher = hasherFor(hash, size);
  if (hasher === undefined) throw new HubFault(`a hash that is none, ${hash}`);
  return hasher;
};

/** As Python's huggingface_hub names it. */
const partOf = (blob: string) => `${blob}.incomplete`;

/** Opens a file that is nobody else's: the one that an earlier try left, or where another program has that, a new one. */
async function openPart(blob: string): Promise<Pick<Part, "file" | "path">> {
  const path = partOf(blob);
  // Never through a link, which may lead anywhere.
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info !== undefined && !info.isFile) await Deno.remove(path);
  const file = await Deno.open(path, { read: true, write: true, create: true });
  if (await file.tryLock(true)) return { file, path };
  file.close();
  const own = partOf(`${blob}.${crypto.randomUUID().slice(0, 8)}`);
  return { file: await Deno.open(own, { read: true, write: true, createNew: true }), path: own };
}

async function restart(part: Part, of: RepositoryFile): Promise<void> {
  await part.file.truncate(0);
  await part.file.seek(0, Deno.SeekMode.Start);
  part.done = 0;
  part.hasher = newHasher(of);
}

/** Bytes at which a 206 answer begins, where it is that part of a file of this size. */
function beginOf(response: Response, size: number): number | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/
    .exec(response.headers.get("content-range") ?? "") ?? [];
  return first === undefined || (total !== "*" && Number(total) !== size)
    ? undefined
    : Number(first);
}

/** Asks for what is missing and appends it. Throws what {@link requestHub} throws, and a NetworkFailure where it breaks off. */
async function append(
  part: Part,
  file: RepositoryFile,
  url: string,
  hear: () => void,
  settings: HubSettings,
): Promise<void> {
  const headers = new Headers(fileHeaders(settings));
  // No If-Range: a CDN's tag is another than the hub's, and the hash of the whole decides.
  if (part.done > 0) headers.set("range", `bytes=${part.done}-`);
  const response = await requestHub(url, { headers }, settings);
  if (part.done > 0 && (response.status !== 206 || beginOf(response, file.size) !== part.done)) {
    await restart(part, file);
    if (response.status === 206) {
      await response.body?.cancel();
      throw new NetworkFailure(new Error("the server sent another part than was asked for"), false);
    }
  }
  for await (const piece of piecesOf(response, settings)) {
    if (part.done + piece.length > file.size) {
      await restart(part, file);
      throw new HubFault(`more than the ${file.size} bytes that it lists of ${file.path}`);
    }
    for (let written = 0; written < piece.length;) {
      written += await part.file.write(piece.subarray(written));
    }
    part.hasher.update(piece);
    part.done += piece.length;
    hear();
  }
  if (part.done < file.size) {
    const arrived = `${file.path} arrived with ${part.done} of ${file.size} bytes`;
    throw new NetworkFailure(new Error(arrived), false);
  }
}

/** Appends until the file is whole, over connections that break. */
async function complete(
  part: Part,
  file: RepositoryFile,
  url: string,
  hear: () => void,
  settings: HubSettings,
): Promise<void> {
  let breaks = 0;
  while (part.done < file.size) {
    const before = part.done;
    try {
      await append(part, file, url, hear, settings);
    } catch (error) {
      if (error instanceof HubAnswer && error.status === 416 && part.done > 0) {
        await restart(part, file);
        continue;
      }
      if (!(error instanceof NetworkFailure) || (error.absent && before === 0)) throw error;
      breaks = part.done - before >= fewBytes ? 0 : breaks + 1;
      if (breaks === mostBreaks) throw error;
      const seconds = 2 ** breaks;
      const { path } = file;
      const what = error.message.startsWith(path) ? error.message : `${path}: ${error.message}`;
      settings.report?.(`${what}; going on in ${seconds} s.`);
      await patienceOf(settings).wait(seconds);
    }
  }
}

function progressOf({ path, size: total }: RepositoryFile, part: Part, settings: HubSettings) {
  const began = { at: performance.now(), done: part.done };
  let told = began.at;
  return () => {
    const now = performance.now();
    if (now - told < reportEvery && part.done < total) return;
    told = now;
    const bytesPerSecond = (part.done - began.done) / Math.max(1e-3, (now - began.at) / 1000);
    settings.progress?.({ path, done: part.done, total, bytesPerSecond });
  };
}

/**
 * Downloads a file to `blob`. What has come stays beside it where a connection breaks for good, and the next call goes on
 * from there. Throws what {@link requestHub} throws, a HubFault where size or hash are others than listed, and a UserError
 * where the disk has no room.
 */
export async function downloadBlob(
  url: string,
  file: RepositoryFile,
  blob: string,
  settings: HubSettings,
): Promise<void> {
  const hasher = newHasher(file);
  const part: Part = { ...await openPart(blob), done: 0, hasher };
  using _ = part.file;
  try {
    await fill(part, file, url, blob, settings);
  } catch (error) {
    // The next try goes on with the part of the usual name alone.
    if (part.path !== partOf(blob)) await Deno.remove(part.path).catch(() => {});
    throw error;
  }
  await part.file.syncData();
  await Deno.rename(part.path, blob).catch(async (error) => {
    if (!await holds(blob, file)) throw error; // another program was a moment faster
  });
}

/** Completes a part until it has the listed hash. */
async function fill(
  part: Part,
  file: RepositoryFile,
  url: string,
  blob: string,
  settings: HubSettings,
): Promise<void> {
  if ((await part.file.stat()).size > file.size) await restart(part, file);
  await readAll(part.file, (bytes) => {
    part.hasher.update(bytes);
    part.done += bytes.length;
  });
  await checkRoom(file.size - part.done, file.path, blob, settings);
  const hear = progressOf(file, part, settings);
  for (let resumed = part.done > 0;; resumed = false) {
    await complete(part, file, url, hear, settings);
    if (part.hasher.digest("hex") === file.hash) return;
    await restart(part, file);
    // What an earlier try left may be to blame: once more, from the beginning.
    if (!resumed) {
      throw new HubFault(`${file.path} with another content than its hash says`);
    }
  }
}
