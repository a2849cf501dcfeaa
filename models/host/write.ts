/** Files appear whole or not at all: written beside their place, then renamed into it. */
import { basename, dirname, join } from "node:path";

/**
 * Writes text (as UTF-8), bytes, or pieces of bytes that follow one another, and returns their number.
 * They go to a temporary file beside `path`, which is then renamed into place; the folder is made
 * where it is missing. When anything throws, the temporary file is removed and an older file at
 * `path` stays as it was. Throws what the file system throws.
 */
export async function writeFileWhole(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
): Promise<number> {
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true });
    let written = 0;
    try {
      for (const piece of piecesIn(content)) {
        await writeAll(file, piece);
        written += piece.length;
      }
      // Without this a power cut may leave the new name on an empty file.
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    return written;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

function piecesIn(content: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/** One `write` call may take fewer bytes than it was given. */
async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
