/** The texts to label: arguments, a file's column, or the lines of standard input. */
import { hasPlainLineEnds } from "../../models/data/encodings.ts";
import { decodeText } from "../../models/data/text_decoding.ts";
import { readTexts, type TextOptions } from "../../models/data/texts.ts";
import { UserError } from "../../models/errors.ts";
import { fileSource, readError } from "../../models/host/files.ts";
import { adviceForPrediction, messageWithAdvice } from "../shared/advice.ts";
import { countOf, formatCount } from "../shared/format.ts";
import type { PredictFlags } from "./flags.ts";

/** What is read of `Deno.stdin`. */
export interface Input {
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
}

export interface Texts {
  /** Trimmed, as in training, and none empty; as many together as were there, the first of them already. */
  arrivals: AsyncIterable<string[]>;
  /** What the reader must not overlook. */
  notices: string[];
}

const ways = `Give texts as arguments, --file with a table, or lines on standard input.`;

const notEmpty = (texts: readonly string[]): string[] =>
  texts.map((text) => text.trim()).filter((text) => text !== "");

async function textsOf(path: string, options: TextOptions) {
  const source = await fileSource(path);
  try {
    return await readTexts(source, options);
  } finally {
    source.close?.();
  }
}

/** First bytes of the marks of UTF-16 and UTF-32; no text of UTF-8 begins so. */
const wideMarks = [0xff, 0xfe, 0];

/**
 * Lines as they come, those of each portion that was read; of UTF-16 and UTF-32, whose lines do not end with one byte,
 * all at the end. Throws a UserError where they are not in the encoding.
 */
async function* linesOf(
  { readable }: Input,
  encoding: string | undefined,
): AsyncGenerator<string[]> {
  const lines = async (parts: Uint8Array<ArrayBuffer>[]) => {
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return notEmpty(decodeText(bytes, "Standard input", encoding).split("\n"));
  };
  let plain: boolean | undefined;
  const begun: Uint8Array<ArrayBuffer>[] = []; // of a line whose end has not come yet
  try {
    for await (const bytes of readable) {
      plain ??= hasPlainLineEnds(encoding ?? "utf-8") && !wideMarks.includes(bytes[0]);
      const end = plain ? bytes.lastIndexOf(0x0a) + 1 : 0; // a byte that is part of no other character
      if (end > 0) yield await lines([...begun.splice(0), bytes.slice(0, end)]);
      if (end < bytes.length) begun.push(bytes.slice(end));
    }
  } catch (error) {
    throw readError("standard input", error);
  }
  yield await lines(begun);
}

/** The flags that say where texts come from, and how a file of them is read. */
type Sources =
  & Pick<PredictFlags, "texts" | "file">
  & Partial<Pick<PredictFlags, "textColumn" | "encoding" | "quoting">>;

/** Throws a UserError where the flags ask for texts from two places, or say how to read a file that is not given. */
export function checkSources({ texts, file, textColumn, encoding, quoting }: Sources): void {
  if (file !== undefined && texts.length > 0) {
    throw new UserError(`--file and texts as arguments contradict each other; give one.`, {
      exitCode: 2,
    });
  }
  if (file !== undefined) return;
  const of = textColumn !== undefined
    ? "--text_column names a column"
    : quoting !== undefined
    ? "--quoting is"
    : encoding !== undefined && texts.length > 0
    ? "--encoding is"
    : undefined;
  if (of === undefined) return;
  throw new UserError(`${of} of --file, which is not given.`, { exitCode: 2 });
}

/**
 * Opens the texts and waits for the first; empty ones are left out, under a notice where they are a file's. Throws a
 * UserError where there are none.
 */
export async function openTexts(
  flags: Sources,
  input: Input,
): Promise<Texts> {
  checkSources(flags);
  const { texts, file, encoding } = flags;
  const found = file === undefined ? undefined : await textsOf(file, flags);
  const read = found?.texts ?? texts;
  const kept = notEmpty(read);
  const empty = file === undefined ? 0 : read.length - kept.length;
  const notices = (found?.notices ?? []).map((each) =>
    messageWithAdvice(each, adviceForPrediction)
  );
  if (empty > 0) {
    notices.push(
      `${formatCount(empty)} of ${countOf(read.length, "row")} ${
        empty === 1 ? "is" : "are"
      } empty: left out.`,
    );
  }
  const rest = read.length > 0 || file !== undefined ? undefined : linesOf(input, encoding);
  const first = rest === undefined ? kept : await firstOf(rest);
  if (first.length === 0) {
    const where = file ?? "Standard input";
    throw new UserError(`${where} holds no text. ${ways}`, { exitCode: file ? 1 : 2 });
  }
  return {
    notices,
    arrivals: (async function* () {
      yield first;
      if (rest) yield* rest;
    })(),
  };
}

async function firstOf(arrivals: AsyncGenerator<string[]>): Promise<string[]> {
  for (;;) {
    const { done, value } = await arrivals.next();
    if (done) return [];
    if (value.length > 0) return value;
  }
}

/**
 * Cuts texts, as they arrive, into pieces of whole batches, some `most` texts at most; what is left at the end is a
 * piece of its own. Which texts share a batch depends on their order alone, and so do the last bits of results.
 */
export async function* inPieces(
  arrivals: AsyncIterable<string[]>,
  batchSize: number,
  most = 128,
): AsyncGenerator<string[]> {
  const batches = Math.max(1, Math.floor(most / batchSize));
  let waiting: string[] = [];
  for await (const texts of arrivals) {
    waiting = [...waiting, ...texts];
    let taken = 0;
    for (;;) {
      const whole = Math.min(batches, Math.floor((waiting.length - taken) / batchSize));
      if (whole === 0) break;
      yield waiting.slice(taken, taken += whole * batchSize);
    }
    waiting = waiting.slice(taken);
  }
  if (waiting.length > 0) yield waiting;
}

/** The least number of texts that is whole batches of every size. */
export function commonBatch(sizes: readonly number[]): number {
  const divisor = (a: number, b: number): number => b === 0 ? a : divisor(b, a % b);
  return sizes.reduce((a, b) => a / divisor(a, b) * b, 1);
}
