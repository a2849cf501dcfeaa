/** A source's bytes as text: UTF-8, UTF-16 and UTF-32 are told apart, any other encoding is named. */
import { listed, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { guessEncodings } from "./encoding_guess.ts";
import { decode, encodingByMark, encodingByZeros, hasPlainLineEnds } from "./encodings.ts";

/** Bytes of text that are read: a string of V8 has 2^29 - 24 characters at most. */
export const mostTextBytes = 512e6;

/** Bytes from which an encoding is guessed. */
const guessedFrom = 65536;

/** Throws a `UserError` where a text is larger than what is read, before any memory is taken for it. */
function checkSize({ name, byteLength }: ByteSource): void {
  if (byteLength <= mostTextBytes) return;
  const gigabytes = (byteLength / 1e9).toFixed(1);
  throw new UserError(
    `${name} has ${gigabytes} GB; text is read up to ${mostTextBytes / 1e6} MB a file. Split it, ` +
      `or save it as Parquet, which is read in parts.`,
  );
}

/** Each line's bytes, with its end. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    const next = end < 0 ? bytes.length : end + 1;
    yield bytes.subarray(at, next);
    at = next;
  }
}

/** What is wrong with bytes that are not in an encoding whose lines end with 0x0A. */
function badLines(bytes: Uint8Array, encoding: string) {
  const bad: Uint8Array[] = [];
  const numbers: number[] = [];
  /** Lines that are in it and not only of ASCII. */
  let good = 0;
  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    try {
      if (decode(line, encoding).length < line.length) good++;
    } catch {
      bad.push(line);
      numbers.push(number);
    }
  }
  return { bad, numbers, good };
}

/** The first bytes of some lines, together. */
function sampleOf(lines: readonly Uint8Array[]): Uint8Array {
  const sample = new Uint8Array(guessedFrom);
  let filled = 0;
  for (const line of lines) {
    if (filled + line.length > guessedFrom) break;
    sample.set(line, filled);
    filled += line.length;
  }
  return filled > 0 ? sample.slice(0, filled) : lines[0].slice(0, guessedFrom);
}

function notInEncoding(bytes: Uint8Array, name: string, named: string | undefined, cause: unknown) {
  const encoding = named ?? "utf-8";
  const upper = encoding.toUpperCase();
  if (!hasPlainLineEnds(encoding)) {
    return new UserError(`${name} is not ${upper} text.`, {
      cause,
      remedy: { kind: "nameEncoding" },
    });
  }
  const { bad, numbers, good } = badLines(bytes, encoding);
  const lines = `${numbers.length === 1 ? "line" : "lines"} ${listed(numbers, 3)}`;
  if (named !== undefined) {
    return new UserError(`${name} is not ${named} text: see ${lines}.`, {
      cause,
      remedy: { kind: "nameEncoding" },
    });
  }
  if (good > bad.length) {
    return new UserError(
      `${name} is UTF-8 text but for ${lines}, which may be damaged. Put right what is there.`,
      { cause },
    );
  }
  const likely = guessEncodings(sampleOf(bad));
  return new UserError(
    `${name} is not UTF-8 text: see ${lines}.` +
      (likely.length === 0 ? "" : ` Its encoding is probably ${likely.join(" or ")}.`),
    { cause, remedy: { kind: "nameEncoding", likely: likely[0] } },
  );
}

/**
 * Bytes as text, without a byte order mark. A mark tells the encoding, else the name that is given
 * ({@link encodingNamed}), else the pattern of zero bytes; else it is UTF-8. Throws a `UserError` where
 * the bytes are not in it, with the likely encoding, and where they are no text.
 */
export function decodeText(bytes: Uint8Array, name: string, encoding?: string): string {
  const byMark = encodingByMark(bytes);
  const wide = byMark ?? encoding ?? encodingByZeros(bytes);
  let text: string;
  try {
    text = decode(bytes, wide ?? "utf-8");
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    if (wide === undefined && bytes.includes(0)) {
      throw new UserError(`${name} is no text: it has NUL bytes, as pictures and archives do.`, {
        cause,
      });
    }
    throw notInEncoding(bytes, name, wide === "utf-8" ? undefined : wide, cause);
  }
  const zero = text.indexOf("\0");
  if (zero < 0) return text;
  const line = text.slice(0, zero).split("\n").length;
  throw new UserError(
    `${name} has a NUL byte on line ${line}: it is damaged, or no text. Save it again as text.`,
  );
}

/** A source's text; see {@link decodeText}. Throws a `UserError` too where it is larger than what is read. */
export async function readText(source: ByteSource, encoding?: string): Promise<string> {
  checkSize(source);
  return decodeText(new Uint8Array(await source.slice(0)), source.name, encoding);
}
