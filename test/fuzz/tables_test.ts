/** Damaged tables of text: CSV, TSV and JSON, in several encodings and compressed, as the commands read them. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { chooseTable } from "../../models/data/choose.ts";
import { encodingNamed } from "../../models/data/encodings.ts";
import { isBlank, isMissingLabel } from "../../models/data/labels.ts";
import { type AskedData, type Dataset, readDataset } from "../../models/data/load.ts";
import { partNames } from "../../models/data/part_names.ts";
import { decodeText } from "../../models/data/text_decoding.ts";
import type { Folder } from "../../models/files/folder.ts";
import { type Files, fuzz } from "./fuzz.ts";

const encoder = new TextEncoder();

const rows = [
  { text: "I miss her", label: "sadness", id: 9007199254740993n },
  { text: 'He said "go",\nand went', label: "anger", id: 2n },
  { text: "naïve café ☕", label: "joy", id: 3n },
  { text: "so; many, marks\tin it", label: "Joy", id: 4n },
  { text: "", label: "joy", id: 5n },
  { text: "0.5", label: "nan", id: 6n },
  { text: "It's Monday", label: "anger", id: 7n },
];
const json = (row: typeof rows[number]) =>
  `{"text":${JSON.stringify(row.text)},"label":${JSON.stringify(row.label)},"id":${row.id}}`;
const field = (value: unknown) =>
  /[",;\t\n]/.test(`${value}`) ? `"${`${value}`.replaceAll('"', '""')}"` : `${value}`;
const delimited = (delimiter: string, given = rows) =>
  [["text", "label", "id"], ...given.map(({ text, label, id }) => [text, label, id])]
    .map((row) => row.map(field).join(delimiter)).join("\n") + "\n";
const latin = (text: string) =>
  Uint8Array.from(text.replace("☕", "é"), (letter) => letter.charCodeAt(0));
const utf16 = (text: string) =>
  new Uint8Array(Uint16Array.from(`\ufeff${text}`, (unit) => unit.charCodeAt(0)).buffer);
const packed = async (text: string) => {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

/** As `loadDataset` reads a folder of this machine. */
async function read(folder: Folder, asked: AskedData): Promise<Dataset> {
  const chosen = chooseTable(await folder.list(), folder.name);
  const open = async (names?: string[]) =>
    names && await Promise.all(names.map((name) => folder.open(name)));
  return await readDataset({
    name: folder.name,
    source: folder.name,
    sample: false,
    notices: chosen.notices,
    files: (await open(chosen.train))!,
    validation: await open(chosen.validation),
    test: await open(chosen.test),
  }, asked);
}

/** A text without what readers take away: quotes, escapes, line ends, blanks, what is not seen. */
const bare = (text: string) => text.normalize("NFC").replace(/["'\\\s\p{C}]/gu, "");

/** All text of the files, as JSON's strings too, where they have escapes. */
function contentOf(files: Files, encoding?: string): string {
  const texts = [...files].map(([name, bytes]) =>
    decodeText(name.endsWith(".gz") ? gunzipSync(bytes) : bytes, name, encoding)
  );
  const unescaped = texts.map((text) =>
    text.replace(/\\u([0-9a-fA-F]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)))
      .replace(/\\[nrtbf]/g, "")
  );
  return bare([...texts, ...unescaped].join("\n"));
}

/** Labels and texts are there, are the file's, and are counted right. */
function checkData(data: Dataset, files: Files, { encoding }: AskedData): void {
  const content = contentOf(files, encoding);
  const { labels, examples, emptyRows, duplicates, rowsRead } = data;
  assert.ok(labels.length >= 2);
  assert.equal(new Set(labels).size, labels.length);
  for (const label of labels) {
    assert.ok(!isMissingLabel(label) && label === label.trim().normalize("NFC"), label);
    assert.ok(content.includes(bare(label)), `no label of the file: ${JSON.stringify(label)}`);
  }
  assert.equal(examples.length + emptyRows + duplicates, rowsRead);
  for (const { text, label, row } of examples) {
    assert.ok(!isBlank(text));
    assert.ok(content.includes(bare(text)), `no text of the file: ${JSON.stringify(text)}`);
    assert.ok(Number.isInteger(label) && label in labels);
    assert.ok(row! >= 1 && row! <= rowsRead, `row ${row} of ${rowsRead}`);
  }
  assert.deepEqual([...new Set(examples.map(({ label }) => label))].sort((a, b) => a - b), [
    ...labels.keys(),
  ]);
  if (data.given) {
    assert.equal(partNames.reduce((sum, part) => sum + data.given![part], 0), examples.length);
  }
  for (const notice of data.notices) assert.doesNotMatch(notice, /undefined|\[object /);
}

function fuzzTable(
  name: string,
  files: Record<string, Uint8Array<ArrayBuffer>>,
  asked: AskedData = {},
) {
  fuzz(
    `a damaged ${name}`,
    new Map(Object.entries(files)),
    (folder) => read(folder, asked),
    { check: (data, damaged) => checkData(data, damaged, asked) },
  );
}

const encoded = (text: string) => encoder.encode(text);

fuzzTable("CSV", { "x.csv": encoded(delimited(",")) });
fuzzTable("CSV without quoting, by semicolons", {
  "x.csv": encoded(delimited(";", rows.slice(2)).replaceAll("so; many", "so many")),
}, {
  quoting: "none",
});
fuzzTable("CSV in Windows-1252", { "x.csv": latin(delimited(",")) }, {
  encoding: encodingNamed("windows-1252"),
  labelCase: "fold",
});
fuzzTable("TSV in UTF-16", { "x.tsv": utf16(delimited("\t")) });
fuzzTable("CSV in gzip", { "x.csv.gz": await packed(delimited(",")) });
fuzzTable("folder of parts", {
  "train.csv": encoded(delimited(",")),
  "validation.tsv": encoded(delimited("\t", rows.slice(0, 3))),
  "test.csv": encoded(delimited(",", rows.slice(2))),
});
fuzzTable("file of JSON lines", { "x.jsonl": encoded(rows.map(json).join("\n")) }, {
  labelCase: "fold",
});
fuzzTable("JSON array", { "x.json": encoded(`[${rows.map(json).join()}]`) });
fuzzTable("JSON of nested fields", {
  "x.jsonl": encoded(rows.map((row) => `{"data":${json(row)}}`).join("\n")),
}, { textColumn: "data.text" });
const columns = (of: (index: number) => string) =>
  (["text", "label"] as const).map((key) =>
    `"${key}":${of(0)}${
      rows.map((row, index) => `${of(1) && `"${index}":`}${JSON.stringify(row[key])}`).join()
    }${of(2)}`
  ).join();
fuzzTable("JSON of pandas' columns", {
  "x.json": encoded(`{${columns((part) => ["{", ":", "}"][part])}}`),
});
fuzzTable("JSON of labels that are numbers", {
  "x.jsonl": encoded(
    rows.map(({ text, id }) => `{"text":${JSON.stringify(text)},"label":${id}}`)
      .join("\n"),
  ),
});
