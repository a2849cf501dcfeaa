/** The flags that say how a data file is read. */
import { choice } from "@optique/core/valueparser";
import { quotings } from "../../models/data/delimited_rows.ts";
import { encodingNamed } from "../../models/data/encodings.ts";
import { flag, valueOf } from "./flag_parser.ts";

/** An encoding by a label of the web's list or by Python's name. */
function parseEncoding(text: string): string {
  const encoding = encodingNamed(text);
  if (encoding !== undefined) return encoding;
  throw new Error(
    `"${text}" is no encoding that is known. Some are utf-8, utf-16, utf-32, windows-1252, ` +
      `latin1, shift_jis, gbk, big5, euc-kr and koi8-r.`,
  );
}

export const tableFlags = {
  encoding: flag(
    "--encoding",
    valueOf("NAME", parseEncoding, "utf-8"),
    "Of text that is no UTF, as shift_jis",
    "found",
  ),
  quoting: flag(
    "--quoting",
    choice(quotings, { metavar: "KIND" }),
    "none: quotes in CSV are plain",
    "standard",
  ),
};
