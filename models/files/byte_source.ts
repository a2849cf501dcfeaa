/**
 * Bytes that are read in parts, wherever they lie: a file (models/host/files.ts), a browser's Blob,
 * memory, or a web server. hyparquet reads one as it is.
 */
import { messageOf, UserError } from "../errors.ts";

export interface ByteSource {
  /** For messages: a path, a file's name, an address. Its end tells a table's format. */
  name: string;
  byteLength: number;
  /** A copy of the bytes [begin, end); fewer where the source ends before. */
  slice(begin: number, end?: number): Promise<ArrayBuffer>;
  /** Whoever opened the source calls it after use. */
  close?(): void;
}

/** A Blob, such as the File that somebody drops on a page. */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    byteLength: blob.size,
    slice: (begin, end) => blob.slice(begin, end).arrayBuffer(),
  };
}

/** Bytes in memory. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    byteLength: bytes.length,
    slice: (begin, end) => Promise.resolve(bytes.slice(begin, end).buffer),
  };
}

/**
 * A file on a web server, by HTTP ranges (RFC 9110, 14). Throws a UserError where the server cannot
 * be reached, has no such file, or would send it whole instead of a part.
 */
export async function rangeSource(url: string, init: RequestInit = {}): Promise<ByteSource> {
  const fetchRange = async (first: number, last: number): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("range", `bytes=${first}-${last}`);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers });
    } catch (cause) {
      throw new UserError(`Cannot get ${url}: ${messageOf(cause)}.`, { cause });
    }
    if (response.status === 206) return response;
    await response.body?.cancel();
    throw new UserError(
      response.ok
        ? `${url} cannot be read in parts: its server ignores ranges (answer ${response.status}).`
        : `Cannot get ${url}: answer ${response.status}.`,
    );
  };
  const first = await fetchRange(0, 0);
  await first.body?.cancel();
  const size = /\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1];
  if (size === undefined) throw new UserError(`The server of ${url} does not tell its size.`);
  const byteLength = Number(size);
  return {
    name: url,
    byteLength,
    async slice(begin, end = byteLength) {
      const last = Math.min(end, byteLength) - 1;
      if (last < begin) return new ArrayBuffer(0);
      return await (await fetchRange(begin, last)).arrayBuffer();
    },
  };
}
