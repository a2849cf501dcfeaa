/** Files and folders of this machine, as the rest of models/ reads them. */
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { type Folder, folderOf } from "../files/folder.ts";

/** Whether a file (or folder) exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Nothing of that name, or a part of the path that should be a folder is a file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** Opens a file. Throws a UserError naming it where that cannot be. */
export async function fileSource(path: string): Promise<ByteSource> {
  let file: Deno.FsFile;
  let size: number;
  try {
    file = await Deno.open(path);
  } catch (cause) {
    throw new UserError(
      isMissing(cause) ? `There is no file ${path}.` : `Cannot read ${path}: ${messageOf(cause)}.`,
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

/** Paths, relative to `folder` and with slashes, of all files below it, at most `levels` folders deep, sorted. */
export async function filesBelow(
  folder: string,
  prefix = "",
  levels = Infinity,
): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
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

/** A folder of this machine, listed at most `levels` folders deep; where it is missing it has no files. */
export function hostFolder(path: string, levels = Infinity): Folder {
  return folderOf({
    name: path,
    list: async () => await exists(path) ? await filesBelow(path, "", levels) : [],
    has: (name) => exists(join(path, name)),
    open: (name) => fileSource(join(path, name)),
  });
}
