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

/** Unpacks bytes to as many as are announced. */
export type Unpack = (input: Uint8Array, length: number) => Uint8Array;

/** Without room given it takes what the data ask for: gigabytes, of a few bytes. */
const unpackZstd: Unpack = (input, length) => {
  const output = new Uint8Array(length);
  // What is left of them tells that less came than was announced.
  const mark = crypto.getRandomValues(new Uint8Array(Math.min(16, length)));
  output.set(mark, length - mark.length);
  decompressZstd(input, output);
  const end = output.subarray(length - mark.length);
  if (length >= 8 && end.every((byte, index) => byte === mark[index])) {
    throw new Damage(`a page holds less than the ${length} bytes that it announces`);
  }
  return output;
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
