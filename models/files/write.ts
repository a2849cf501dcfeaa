/** Files appear whole or not at all: written beside their place, then renamed into it. */
import { basename, dirname, join } from "node:path";

/**
 * Opens a temporary file beside `path`, lets `write` fill it, then renames it into place and returns
 * what `write` returned. The folder is made where it is missing. When anything throws, the temporary
 * file is removed and an older file at `path` stays as it was.
 */
export async function writeWhole<Result>(
  path: string,
  write: (file: Deno.FsFile) => Promise<Result>,
): Promise<Result> {
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true });
    let result: Result;
    try {
      result = await write(file);
      // Without this a power cut may leave the new name on an empty file.
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    return result;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** Writes all bytes to an open file; one `write` call may take fewer than it was given. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** Writes a file whole or not at all; text as UTF-8. Throws what the file system throws. */
export async function writeFileWhole(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeWhole(path, (file) => writeAll(file, bytes));
}
