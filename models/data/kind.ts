/** What kind of data a file holds, by its first bytes where its name misleads, and what to do where it is not read. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { withoutGzip } from "../files/gzip.ts";
import { pointerError } from "../files/lfs_pointer.ts";
import { beginningOf, signatureOf } from "../files/signature.ts";

/** The formats that are read. */
export type Kind = "parquet" | "csv" | "tsv" | "json";

/**
 * The extension of a file name or path, in lower case, with its dot; "" where it has none. Of `a.csv.gz` it is that of
 * what was compressed.
 */
export function extensionOf(path: string): string {
  return /[^\\/](\.[^.\\/]*)$/.exec(withoutGzip(path))?.[1].toLowerCase() ?? "";
}

const kinds: Record<string, Kind> = {
  ".parquet": "parquet",
  ".csv": "csv",
  ".tsv": "tsv",
  ".jsonl": "json",
  ".ndjson": "json",
  ".json": "json",
};

/** The extensions of the formats that are read, those that are the likelier to be meant first. */
export const tableExtensions = Object.keys(kinds);

const exportIt = "Export its sheet as CSV (in UTF-8) and name that file.";

/** What to do with files that a beginning, or an extension, tells, and that are not read. */
const ways: [kind: RegExp, way: string][] = [
  [/web page/, "Download the raw file instead: a site shows it by a page of its own."],
  [
    /Arrow file/,
    "Have it written as Parquet, with Python's datasets for example: " +
    `Dataset.from_file("data.arrow").to_parquet("data.parquet"), ` +
    `or with pandas: pd.read_feather("data.arrow").to_parquet("data.parquet")`,
  ],
  [
    /pickle/,
    "Loading one can run code, so it is not opened. Have it written as Parquet, " +
    `with pandas for example: pd.read_pickle("data.pkl").to_parquet("data.parquet")`,
  ],
  [/zip archive/, "Unpack it and name the table in it."],
  [/workbook|spreadsheet|old Office/, exportIt],
  [/SQLite/, `Export a table of it as CSV: sqlite3 -header -csv data.db "select * from t" > t.csv`],
  [/encrypted/, "Have it written without encryption."],
  [/macOS/, "The file of the same name without ._ at its start is the one."],
  [/unpacked first/, ""],
];

/** What files are that are named so, where their first bytes do not tell. */
const named: Record<string, string> = {
  ".xlsx": "an Excel workbook",
  ".xls": "an Excel workbook",
  ".ods": "a spreadsheet",
  ".arrow": "an Arrow file",
  ".feather": "an Arrow file",
  ".pkl": "a pickle",
  ".pickle": "a pickle",
  ".db": "a database of SQLite",
  ".sqlite": "a database of SQLite",
  ".zip": "a zip archive",
};

const refused = (name: string, what: string): UserError => {
  const way = ways.find(([kind]) => kind.test(what))?.[1] ??
    `Data sets are files of ${tableExtensions.join(", ")}.`;
  return new UserError(`${name} is ${what}.${way === "" ? "" : ` ${way}`}`);
};

/** A zip archive by what its first member is called. */
function archive(beginning: string): string {
  if (/^[^]{26,60}mimetypeapplication\/vnd\.oasis/.test(beginning)) return "a spreadsheet";
  if (/\[Content_Types\]\.xml|xl\/|_rels\/\.rels/.test(beginning)) return "an Excel workbook";
  return "a zip archive";
}

const renamed = (name: string, what: string, ends: string): UserError => {
  const unpacked = withoutGzip(name);
  const stem = unpacked.slice(0, unpacked.length - extensionOf(name).length);
  const packed = name.slice(unpacked.length);
  return new UserError(
    `${name} is ${what}, although its name says otherwise. Rename it: ${stem}${ends}${packed}`,
  );
};

/** Whether text begins as JSON does, an object or an array of such. */
const isJson = (text: string) => /^\s*(\[\s*)?\{\s*("|\}|$)/.test(text);

/**
 * The format of a file by its name, held against how it begins (a character a byte). Throws a UserError that says
 * what it is and what to do: a pointer of git-LFS, a format that is not read, or one that its name does not tell.
 */
export function kindOf(beginning: string, name: string): Kind {
  const pointer = pointerError(beginning, name);
  if (pointer) throw pointer;
  const kind = kinds[extensionOf(name)];
  const what = signatureOf(beginning);
  if (what === "a Parquet file") {
    if (kind === "parquet") return kind;
    throw renamed(name, what, ".parquet");
  }
  if (what !== undefined) {
    throw refused(name, what.startsWith("a zip") ? archive(beginning) : what);
  }
  if (kind === undefined) throw unknown(name);
  if (beginning === "") throw new UserError(`${name} is empty.`);
  const text = beginning.replace(/^\xef\xbb\xbf/, "");
  if (kind === "parquet") {
    if (beginning.includes("\0")) return kind; // and damaged
    if (isJson(text)) throw renamed(name, "JSON", ".json");
    throw renamed(name, "plain text, no Parquet file", ".csv");
  }
  if (kind !== "json" && isJson(text)) throw renamed(name, "JSON", ".json");
  if (kind === "json" && /^[^[{\0\r\n]+[,;\t|][^\0\r\n]*[\r\n]/.test(text)) {
    throw renamed(name, "no JSON, but a table of lines", text.includes("\t") ? ".tsv" : ".csv");
  }
  return kind;
}

function unknown(name: string): UserError {
  const extension = extensionOf(name);
  if (named[extension] !== undefined) return refused(name, named[extension]);
  if (extension === ".txt") {
    return new UserError(
      `${name} is plain text. A data set has a text and a label in each row: write them as CSV, ` +
        `with a first line text,label, and end its name in .csv`,
    );
  }
  return new UserError(
    `Cannot tell the format of ${name}. Data sets are files that end in ${
      tableExtensions.join(", ")
    }.`,
  );
}

/** As {@link kindOf}, of a file that is opened. */
export async function kindOfSource(source: ByteSource): Promise<Kind> {
  return kindOf(await beginningOf(source), source.name);
}

/** Throws a UserError where a file that should be plain text is another, or was not downloaded. */
export async function checkPlainText(source: ByteSource): Promise<void> {
  const beginning = await beginningOf(source);
  const what = signatureOf(beginning);
  const error = pointerError(beginning, source.name) ?? (what && refused(source.name, what));
  if (error) throw error;
}

/** JSON files that tell of a data set, a model, a run or a project, and hold no rows. */
const aboutOthers = new Set(
  ("dataset_info dataset_infos dataset_dict state metadata croissant config generation_config " +
    "preprocessor_config tokenizer tokenizer_config special_tokens_map added_tokens vocab " +
    "model.safetensors.index adapter_config head_config run command package package-lock " +
    "tsconfig deno").split(" ").map((name) => `${name}.json`),
);

/** Whether a file name ends as one of the formats that we read. */
export function isTable(path: string): boolean {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return tableExtensions.includes(extensionOf(path)) && !aboutOthers.has(name.toLowerCase());
}

/** Whether a file name is one of data, read or not, rather than one of a model's weights or settings. */
export function isDataName(path: string): boolean {
  const extension = extensionOf(path);
  return isTable(path) || named[extension] !== undefined ||
    /^\.(txt|gz|bz2|xz|zst|7z|tar|tgz|rar|html?|xml)$/.test(extension);
}

/** Whether a path within a folder or repository is hidden, or what a system keeps there for itself. */
export function isHidden(path: string): boolean {
  return path.split(/[\\/]/).some((part) => /^(\.|~\$|__MACOSX$)/.test(part));
}

/** What a folder without a table is, by the names in it; undefined where they do not tell. */
export function otherFolder(paths: readonly string[], where: string): UserError | undefined {
  const names = paths.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const has = (name: string) => names.includes(name);
  const arrow = names.some((name) => name.endsWith(".arrow"));
  if (has("dataset_dict.json") || (arrow && (has("state.json") || has("dataset_info.json")))) {
    const one = has("dataset_dict.json") ? `["train"]` : "";
    return new UserError(
      `${where} is a data set as Python's datasets saves it (save_to_disk), of Arrow files, which ` +
        `are not read. Have it written as Parquet: python -c 'from datasets import load_from_disk; ` +
        `load_from_disk("${where}")${one}.to_parquet("train.parquet")'`,
    );
  }
  const other = names.find((name) => named[extensionOf(name)] !== undefined);
  if (other === undefined) return undefined;
  return refused(
    `${where} holds no table that is read, but ${other}, which`,
    named[extensionOf(other)],
  );
}
