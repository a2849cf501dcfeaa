/** Rows of delimited text, by Papa Parse: their fields, and where they begin. */
// @ts-types="./papaparse.d.ts"
import Papa from "papaparse";

/** Whether quotes enclose fields, or are characters as all others (pandas' `quoting=3`). */
export const quotings = ["standard", "none"] as const;
export type Quoting = (typeof quotings)[number];

/** Where a quoted field begins that does not end, or that goes on after its closing quote. */
export interface BrokenQuote {
  at: number;
  ends: boolean;
}

export interface DelimitedRows {
  rows: string[][];
  /** Where each row begins in `text`. */
  starts: number[];
  /** What was read: line by line the text that was given. */
  text: string;
  broken?: BrokenQuote;
}

interface ParseOptions {
  /** Characters that are parsed at once. */
  pieceLength: number;
  quoting?: Quoting;
  escapeChar?: string;
}

/** As {@link DelimitedRows}, and where the last row begins, be it empty or not. */
function parsePiece(
  text: string,
  delimiter: string,
  { quoting = "standard", escapeChar = '"' }: ParseOptions,
): DelimitedRows & { last: number } {
  const rows: string[][] = [];
  const starts: number[] = [];
  let start = 0;
  let last = 0;
  let broken: BrokenQuote | undefined;
  Papa.parse(text, {
    delimiter,
    newline: "\n",
    escapeChar,
    ...(quoting === "none" && { fastMode: true }),
    step({ data, errors: [error], meta }) {
      // Of a line end of two characters the first is left.
      const end = data.length - 1;
      if (data[end].endsWith("\r")) data[end] = data[end].slice(0, -1);
      if (error) broken ??= { at: error.index, ends: error.code === "InvalidQuotes" };
      if (error || data.length > 1 || data[0].trim() !== "") {
        rows.push(data);
        starts.push(start);
      }
      last = start;
      start = meta.cursor;
    },
  });
  return { rows, starts, text, broken, last };
}

/**
 * Parses piece by piece, each to the end of a line if that is near, and no further than the first broken quote: Papa
 * Parse keeps an error for every quote after it, which of a large text takes all memory. A row that a piece cuts is
 * parsed again, with a longer one.
 */
function parse(text: string, delimiter: string, options: ParseOptions): DelimitedRows {
  const rows: string[][] = [];
  const starts: number[] = [];
  let length = options.pieceLength;
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf("\n", from + length);
    const lineEnd = newline < 0 ? text.length : newline + 1;
    let end = Math.min(lineEnd, from + 2 * length);
    // Blanks after a closing quote are told from text by what follows them.
    while (end < lineEnd && text[end - 1].trim() === "") end++;
    const piece = parsePiece(text.slice(from, end), delimiter, options);
    const { broken, last } = piece;
    const cut = end < text.length && (broken ? !broken.ends : end < lineEnd);
    for (const [row, start] of piece.starts.entries()) {
      if (cut && start === last) break;
      rows.push(piece.rows[row]);
      starts.push(from + start);
    }
    if (broken && !cut) return { rows, starts, text, broken: { ...broken, at: from + broken.at } };
    length = cut ? 2 * length : options.pieceLength;
    from = cut ? from + last : end;
  }
  return { rows, starts, text };
}

/** The delimiter, blanks and a quoted field: the blanks keep Papa Parse from seeing the quote. */
function blanksBeforeQuote(delimiter: string): RegExp {
  const escaped = delimiter.replace(/[\\\]^-]/, "\\$&");
  return new RegExp(`(^|[${escaped}\\n]) *("[^"]*(?:""[^"]*)*")`, "g");
}

const beginsWithBlankAndQuote = (field: string) =>
  field.charCodeAt(0) === 0x20 && /^ +"/.test(field);

/** Lines that end with CR alone, as those of old Macs, end with LF. */
export const withPlainLineEnds = (text: string): string => text.replace(/\r(?!\n)/g, "\n");

const isWhole = ({ rows: [header, ...rows], broken }: DelimitedRows) =>
  broken === undefined && rows.every((fields) => fields.length === header.length);

/**
 * The rows of a text whose lines end with LF or CRLF; empty lines and lines of blanks are left out. A quote may stand
 * after blanks that follow a delimiter, and quotes within quotes are doubled, or all of them have a backslash before
 * them, as Spark and MySQL write them. Where a quoted field is broken its row and those after it are of no use.
 */
export function delimitedRows(
  text: string,
  delimiter: string,
  quoting: Quoting,
  pieceLength: number = 2 ** 22,
): DelimitedRows {
  if (quoting === "none") return parse(text, delimiter, { quoting, pieceLength });
  const first = parse(text, delimiter, { pieceLength });
  const spaced = first.rows.some((fields) => fields.some(beginsWithBlankAndQuote));
  const plain = spaced ? text.replace(blanksBeforeQuote(delimiter), "$1$2") : text;
  const parsed = spaced ? parse(plain, delimiter, { pieceLength }) : first;
  if (parsed.broken === undefined || !plain.includes('\\"')) return parsed;
  const escaped = parse(plain, delimiter, { escapeChar: "\\", pieceLength });
  return isWhole(escaped) ? escaped : parsed;
}
