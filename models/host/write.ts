/** Files appear whole or not at all: written beside their place, then renamed into it. */
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { redact } from "./secrets.ts";
import { systemCode, systemReason } from "./system_error.ts";

/** Why something cannot be written, as far as it makes a difference to what can be done: `full` passes. */
export type WriteFailure = "full" | "refused";

/** A file or a folder that could not be written. */
export class WriteError extends UserError {
  override name = "WriteError";
  /** The file or the folder. */
  readonly path: string;
  readonly kind: WriteFailure;
  /** In words, without a full stop: `the disk is full`. */
  readonly reason: string;

  constructor(path: string, cause: unknown) {
    const reason = systemReason(cause) ?? String(cause);
    const kind = ["ENOSPC", "EDQUOT"].includes(systemCode(cause) ?? "") ? "full" : "refused";
    super(`Cannot write ${path}: ${reason}.`, {
      cause,
      remedy: { kind: "otherPlace", full: kind === "full" },
    });
    this.path = path;
    this.kind = kind;
    this.reason = reason;
  }
}

/**
 * What was thrown while `path` was written: a WriteError that names it where the system refused, also where it
 * refused a file within; anything else as it is.
 */
export function writeErrorAt(path: string, error: unknown): unknown {
  if (error instanceof WriteError) return new WriteError(path, error.cause);
  return systemReason(error) === undefined ? error : new WriteError(path, error);
}

/**
 * Writes text (as UTF-8, without the secrets that it quotes), bytes, or pieces of bytes that follow one another, and returns their number.
 * They go to a temporary file beside `path`, which is then renamed into place; the folder is made
 * where it is missing. When anything throws, the temporary file is removed and an older file at
 * `path` stays as it was. Throws a WriteError where the system refuses, and what the pieces throw.
 */
export async function writeFileWhole(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
): Promise<number> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  try {
    await Deno.mkdir(folder, { recursive: true });
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
    throw writeErrorAt(path, error);
  }
}

function piecesIn(content: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(redact(content))];
  return content instanceof Uint8Array ? [content] : content;
}

/** One `write` call may take fewer bytes than it was given. */
async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
