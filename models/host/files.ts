/** Files and folders of this machine, as the rest of models/ reads them. */
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { type Folder, folderOf } from "../files/folder.ts";
import { systemReason } from "./system_error.ts";

/** Whether a file (or folder) exists. Throws a UserError where it cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw readError(path, error);
  }
}

/** The sentence for a file or a folder that is there, and that the system does not let us read. */
export function cannotRead(path: string, cause: unknown): string {
  return `Cannot read ${path}: ${systemReason(cause) ?? messageOf(cause)}.`;
}

/** A UserError that names the path, where the system refused it; anything else as it is. */
export function readError(path: string, error: unknown): unknown {
  if (error instanceof UserError || systemReason(error) === undefined) return error;
  return new UserError(cannotRead(path, error), { cause: error });
}

/** Nothing of that name, or a part of the path that should be a folder is a file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** A file's text, or undefined where there is none. */
export async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Opens a file. Throws a UserError naming it where that cannot be. */
export async function fileSource(path: string): Promise<ByteSource> {
  let file: Deno.FsFile;
  let size: number;
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    if (isDirectory) throw new UserError(`${path} is a folder, not a file.`);
    // One would wait for a pipe for ever, and files are read here and there.
    if (!isFile) throw new UserError(`${path} is a pipe or a device, not a file.`);
    file = await Deno.open(path);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      isMissing(cause) ? `There is no file ${path}.` : cannotRead(path, cause),
      { cause },
    );
  }
  try {
    ({ size } = await file.stat());
  } catch (error) {
    file.close();
    throw error;
  }
  // Reads share one file position, so they wait for each other.
  let previous: Promise<unknown> = Promise.resolve();
  return {
    name: path,
    byteLength: size,
    slice(begin, end = size) {
      const read = previous.then(() => readAt(file, begin, Math.min(end, size)));
      previous = read.catch(() => {});
      return read;
    },
    close: () => file.close(),
  };
}

/** The bytes [begin, end) of a file; fewer where it was cut off meanwhile. */
async function readAt(file: Deno.FsFile, begin: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(0, end - begin));
  await file.seek(begin, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) return bytes.buffer.slice(0, filled);
    filled += count;
  }
  return bytes.buffer;
}

/** The entries of a folder. Throws a UserError where it cannot be read. */
export async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    throw readError(folder, error);
  }
}

/** Paths, relative to `folder` and with slashes, of all files below it, at most `levels` folders deep, sorted. */
export async function filesBelow(
  folder: string,
  prefix = "",
  levels = Infinity,
): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = `${prefix}${entry.name}`;
    const full = join(folder, entry.name);
    // The hub cache's files are links to its blobs; a link whose blob is gone does not count.
    const info = entry.isSymlink ? await Deno.stat(full).catch(() => undefined) : entry;
    if (info?.isFile) files.push(path);
    else if (info?.isDirectory && levels > 0) {
      files.push(...await filesBelow(full, `${path}/`, levels - 1));
    }
  }
  return files.sort();
}

/**
 * A folder of this machine, listed at most `levels` folders deep, which spares `/` and folders of links that lead
 * back; where it is missing it has no files.
 */
export function hostFolder(path: string, levels = 1): Folder {
  return folderOf({
    name: path,
    list: async () => await exists(path) ? await filesBelow(path, "", levels) : [],
    has: (name) => exists(join(path, name)),
    open: (name) => fileSource(join(path, name)),
  });
}
