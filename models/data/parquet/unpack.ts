/** Unpacking a page into no more room than it announces, and than its bytes can fill. */
import type { CompressionCodec } from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { UserError } from "../../errors.ts";
import { Damage } from "./thrift.ts";

/** How much larger than its bytes a page may be: twice what a codec can do at most, but for the last two. */
const mostRatio: Partial<Record<CompressionCodec, number>> = {
  UNCOMPRESSED: 1,
  SNAPPY: 50,
  LZ4: 512,
  LZ4_RAW: 512,
  GZIP: 2064,
  ZSTD: 50_000,
  BROTLI: 50_000,
};

/** A page that is not larger than this may have any ratio. */
const smallPage = 2 ** 20;

/** Throws a {@link Damage} where so few bytes cannot be so many when unpacked. */
export function checkRatio(
  codec: CompressionCodec | undefined,
  size: number,
  unpacked: number,
): void {
  const most = mostRatio[codec ?? "UNCOMPRESSED"] ?? 1;
  if (unpacked > smallPage && unpacked > size * most) {
    throw new Damage(`a page of ${size} bytes announces ${unpacked} when unpacked`);
  }
}

/** A window of Zstandard's largest level, twice, is no reason to refuse a page. */
const roomAnyway = 2 ** 28;

/** The most that a packed block of Zstandard holds. */
const largestBlock = 2 ** 17;

/**
 * How many bytes Zstandard's frames may make room for, by the headers of frames and blocks alone: fzstd takes whatever
 * these ask for, gigabytes of a few bytes. Throws a {@link Damage} where they are none.
 * See RFC 8878, 3.1.1
 */
function zstdRoom(input: Uint8Array): number {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const number = (from: number, bytes: number): number => {
    if (from + bytes > input.length) throw new Damage("a page's frame ends too early");
    let value = 0;
    for (let index = bytes - 1; index >= 0; index--) {
      value = value * 256 + view.getUint8(from + index);
    }
    return value;
  };
  let room = 0;
  for (let at = 0; at < input.length;) {
    const magic = number(at, 4);
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      at += 8 + number(at + 4, 4); // a frame to be skipped
      continue;
    }
    if (magic !== 0xfd2fb528) throw new Damage("a page is not compressed by Zstandard");
    const flags = number(at + 4, 1);
    const single = (flags & 0x20) !== 0;
    at += 5;
    const window = single ? 0 : number(at, 1);
    at += (single ? 0 : 1) + [0, 1, 2, 4][flags & 3];
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6];
    const base = 2 ** (10 + (window >> 3));
    room += number(at, sizeBytes) || base + base / 8 * (window & 7);
    at += sizeBytes;
    for (let last = false; !last;) {
      const head = number(at, 3);
      const [type, size] = [(head >> 1) & 3, head >> 3];
      room += type === 2 ? largestBlock : size;
      at += 3 + (type === 1 ? 1 : size);
      last = (head & 1) === 1;
    }
    at += (flags & 4) === 0 ? 0 : 4; // a checksum
  }
  return room;
}

/** Unpacks bytes to as many as are announced. */
export type Unpack = (input: Uint8Array, length: number) => Uint8Array;

const unpackZstd: Unpack = (input, length) => {
  const room = zstdRoom(input);
  if (room > roomAnyway + 8 * length) {
    throw new Damage(`a page that announces ${length} bytes asks for room for ${room}`);
  }
  return decompressZstd(input);
};

/** What unpacks a codec's pages. Throws a UserError for one that is not read. */
export function unpackerOf(codec: CompressionCodec | undefined): Unpack {
  if (codec === "UNCOMPRESSED") return (input) => input;
  const found = codec === "ZSTD" ? unpackZstd : codec && compressors[codec];
  if (!found) {
    throw new UserError(
      `its values are compressed by ${codec ?? "a codec that is not known"}, which is not read; ` +
        `have them written by another, as with pandas: df.to_parquet(path, compression="snappy")`,
    );
  }
  return (input, length) => length === 0 ? new Uint8Array() : found(input, length);
}
