/** Whether a file holds what the hub's hash of it says. */
import { createHash, type Hash } from "node:crypto";
import type { RepositoryFile } from "../hub/repository.ts";

/** Bytes that are read at a time. */
const chunk = 1 << 20;

/** The hash of which a blob's name is the value: SHA-256 by 64 digits, git's SHA-1 by 40; undefined by any other name. */
export function hasherFor(name: string, size: number): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return createHash("sha256");
  return /^[0-9a-f]{40}$/.test(name) ? createHash("sha1").update(`blob ${size}\0`) : undefined;
}

/** Hands a file's bytes on, from where it stands to its end. */
export async function readAll(file: Deno.FsFile, hear: (bytes: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(chunk);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return;
    hear(buffer.subarray(0, count));
  }
}

/**
 * Whether a file's content has the hash that is its blob's name; undefined where that is no hash. Throws what the file
 * system throws.
 */
export async function hasHash(path: string, name: string): Promise<boolean | undefined> {
  using file = await Deno.open(path);
  const hasher = hasherFor(name, (await file.stat()).size);
  if (hasher === undefined) return undefined;
  await readAll(file, (bytes) => hasher.update(bytes));
  return hasher.digest("hex") === name;
}

/** Whether a path leads to a file of that size and content. */
export async function holds(path: string, { size, hash }: RepositoryFile): Promise<boolean> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.isFile === true && info.size === size && await hasHash(path, hash) === true;
}
