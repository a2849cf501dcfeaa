/** Comma- and tab-separated text by RFC 4180: quotes, `""` escapes, line ends inside quotes. */
import { UserError } from "../errors.ts";

export interface DelimitedRow {
  /** Line of the file on which the row starts, from 1. */
  line: number;
  fields: string[];
}

/**
 * Splits text into rows of fields. Lines may end with LF, CRLF or CR; a byte order mark at the
 * start and empty lines are skipped. Throws a `UserError` with the line number where a quoted field
 * does not end, or goes on after its closing quote.
 */
export function parseDelimited(text: string, delimiter: string, source: string): DelimitedRow[] {
  const rows: DelimitedRow[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  const endsField = (char: string | undefined) =>
    char === undefined || char === delimiter || char === "\n" || char === "\r";

  const quotedField = (): string => {
    const startLine = line;
    let field = "";
    for (let from = ++at;; from = at) {
      const quote = text.indexOf('"', from);
      if (quote < 0) {
        throw new UserError(
          `${source}, line ${startLine}: a quoted field starts here and never ends. ` +
            `A quote inside a field is written "" and the field is quoted whole.`,
        );
      }
      const part = text.slice(from, quote);
      field += part;
      line += part.match(/\r\n?|\n/g)?.length ?? 0;
      at = quote + 1;
      if (text[at] !== '"') break;
      field += '"';
      at++;
    }
    if (!endsField(text[at])) {
      throw new UserError(
        `${source}, line ${line}: text follows a closing quote. A field that starts with a quote ` +
          `must be quoted whole, with each quote inside it written "".`,
      );
    }
    return field;
  };

  const plainField = (): string => {
    const from = at;
    while (!endsField(text[at])) at++;
    return text.slice(from, at);
  };

  while (at < text.length) {
    const row: DelimitedRow = { line, fields: [] };
    for (;;) {
      row.fields.push(text[at] === '"' ? quotedField() : plainField());
      if (text[at] !== delimiter) break;
      at++;
    }
    const empty = row.fields.length === 1 && row.fields[0] === "";
    if (!empty) rows.push(row);
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    line++;
  }
  return rows;
}
