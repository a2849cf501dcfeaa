/** Files compressed by gzip (RFC 1952), unpacked into memory. */
import { UserError } from "../errors.ts";
import { type ByteSource, bytesSource } from "./byte_source.ts";

/** A path without the `.gz` at its end: it tells what is inside. */
export const withoutGzip = (path: string): string => path.replace(/(?<=[^\\/])\.gz$/i, "");

/** Whether a source is called `….gz`, or begins as a gzip file does. */
export async function isGzip(source: ByteSource): Promise<boolean> {
  if (withoutGzip(source.name) !== source.name) return true;
  const [first, second] = new Uint8Array(await source.slice(0, 2));
  return first === 0x1f && second === 0x8b;
}

/** Bytes that are read at once. */
const portion = 2 ** 20;

/** What comes out of a gzip file, as it comes. Throws a UserError where it is damaged. */
async function* portionsOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  let at = 0;
  const packed = new ReadableStream<BufferSource>({
    async pull(controller) {
      if (at >= source.byteLength) return controller.close();
      controller.enqueue(new Uint8Array(await source.slice(at, at += portion)));
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UserError(
      `${source.name} cannot be unpacked by gzip: it is damaged or cut off, or more follows its ` +
        `end. Download it again, or unpack it first with: gunzip`,
      { cause },
    );
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/**
 * A gzip file's content, of at most `most` bytes, under the file's own name. It is unpacked twice, first to count:
 * a few kilobytes may hold gigabytes, for which memory is never taken. Throws a UserError where the file is damaged,
 * or holds more.
 */
export async function unpackGzip(source: ByteSource, most: number): Promise<ByteSource> {
  let size = 0;
  for await (const { length } of portionsOf(source)) {
    size += length;
    if (size > most) {
      throw new UserError(
        `${source.name} holds more than ${
          Math.floor(most / 1e6)
        } MB when it is unpacked, which is ` +
          `the most that is read. Split it, or save it as Parquet, which is read in parts.`,
      );
    }
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const part of portionsOf(source)) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytesSource(bytes, source.name);
}
