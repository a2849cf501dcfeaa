/** The kind of a file by its first bytes, where its name misleads. */
import assert from "node:assert/strict";
import { chooseTable } from "../../models/data/choose.ts";
import { isDataName, isHidden, isTable, kindOf } from "../../models/data/kind.ts";
import { readTexts } from "../../models/data/texts.ts";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";

const told = (act: () => unknown, message: RegExp) =>
  assert.throws(act, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("a name that tells the truth tells the format", () => {
  const cases: [string, string, string][] = [
    ["PAR1\x15\x00", "a.PARQUET", "parquet"],
    ["text,label\nversion,https\n", "a.csv", "csv"],
    ["\xef\xbb\xbftext\tlabel\n", "dir.csv/a.tsv", "tsv"],
    ['{"text": "a, b"}\n', "a.jsonl", "json"],
    ['\n[\n {"text": "a"}]', "a.json", "json"],
    ["\xff\xfe{\x00}\x00,\x00\n\x00", "a.jsonl", "json"], // UTF-16: for its reader to say
    ['"{""a"": 1}",joy\n', "a.csv", "csv"],
    ["[CLS],label\nbegin,joy\n", "a.csv", "csv"],
    ["\x00\x01damaged", "a.parquet", "parquet"],
  ];
  for (const [beginning, name, kind] of cases) assert.equal(kindOf(beginning, name), kind, name);
});

Deno.test("a name that misleads is told, with what to do", () => {
  const cases: [string, string, RegExp][] = [
    ["PAR1\x15", "in.2/a.csv", /a\.csv is a Parquet file.* Rename it: in\.2\/a\.parquet$/],
    ["PAR1\x15", "data", /data is a Parquet file.* Rename it: data\.parquet$/],
    ["text,label\n", "a.parquet", /plain text, no Parquet file.* Rename it: a\.csv$/],
    ['{"text": 1}', "a.parquet", /is JSON, although.* Rename it: a\.json$/],
    ['[{"text": 1}]', "a.csv", /is JSON, although.* Rename it: a\.json$/],
    ["text\tlabel\r\na\tb", "a.jsonl", /no JSON, but a table of lines.* Rename it: a\.tsv$/],
    ["text,label\na,b", "a.json", /no JSON, but a table of lines.* Rename it: a\.csv$/],
    [pointer, "a.parquet", /git-LFS pointer.* of 12345 bytes .* git lfs pull$/],
    [pointer, "a.jsonl", /git-LFS pointer/],
    [pointer, "a.csv.gz", /git-LFS pointer/],
    ["\n <!DOCTYPE HTML><title>", "a.csv", /is a web page\. Download the raw file/],
    ["<?xml version='1.0'?><!-- x --><html lang=en>", "a.json", /is a web page/],
    [
      "<?xml version='1.0'?><Error>",
      "a.csv",
      /is a page of XML, such as a server's error\. Data sets are files of/,
    ],
    ["PK\x03\x04" + "\0".repeat(26) + "[Content_Types].xml", "a.csv", /Excel workbook\. Export/],
    [
      "PK\x03\x04" + "\0".repeat(26) + "mimetypeapplication/vnd.oasis.opendocument",
      "a.ods",
      /is a spreadsheet\. Export/,
    ],
    ["PK\x03\x04" + "\0".repeat(26) + "train.csv", "a.csv", /is a zip archive\. Unpack it/],
    ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.csv", /an old Office.* Export its sheet/],
    ["ARROW1\0\0", "a.parquet", /is an Arrow file\..*to_parquet/],
    ["\xff\xff\xff\xff\x10", "data-00000.arrow", /is an Arrow file\..*to_parquet/],
    ["\x80\x05\x95", "a.csv", /is a pickle\. Loading one can run code/],
    ["SQLite format 3\0", "a.csv", /a database of SQLite\. Export a table/],
    ["7z\xbc\xaf\x27\x1c", "a.csv", /7-Zip, to be unpacked first\.$/],
    ["\x28\xb5\x2f\xfd\0", "a.jsonl", /Zstandard, to be unpacked first\.$/],
    ["BZh91AY&SY", "a.csv.bz2", /bzip2, to be unpacked first\.$/],
    ["\xfd7zXZ\0", "a.csv.xz", /xz, to be unpacked first\.$/],
    ["a.csv".padEnd(257, "\0") + "ustar", "a.csv", /an archive of tar, to be unpacked first\.$/],
    ["\0\x05\x16\x07", "._train.csv", /what macOS keeps beside a file/],
    ["PARE", "a.parquet", /an encrypted Parquet file\. Have it written without/],
    ["one\ntwo\n", "a.txt", /plain text\. A data set has a text and a label.* CSV/],
    ["", "a.xlsx", /an Excel workbook\. Export its sheet as CSV/],
    ["", "a.csv", /a\.csv is empty/],
    ["text,label", "data", /Cannot tell the format of data\. .*\.csv, .*\.json\.$/],
  ];
  for (const [beginning, name, message] of cases) told(() => kindOf(beginning, name), message);
});

Deno.test("hidden files, and those that tell of others, are no data", () => {
  for (const path of ["._a.csv", ".ipynb_checkpoints/a.csv", "__MACOSX/a.csv", "x/~$a.csv"]) {
    assert(isHidden(path), path);
  }
  assert(!isHidden("data/a.b.csv"));
  for (const path of ["dataset_infos.json", "x/config.json", "a.csv.md"]) {
    assert(!isTable(path), path);
  }
  assert(isTable("train.json") && isTable("x\\a.CSV") && isDataName("a.xlsx"));
  assert(!isDataName("model.safetensors") && !isDataName("config.json"));
  const junk = ["._train.csv", "__MACOSX/train.csv", ".cache/test.parquet", "dataset_infos.json"];
  assert.deepEqual(chooseTable([...junk, "train.csv"], "d").train, ["train.csv"]);
  assert.deepEqual(chooseTable([...junk, "data/train.json"], "d").train, ["data/train.json"]);
  told(() => chooseTable(junk, "d"), /d holds no data file/);
});

Deno.test("a folder of another kind is told", () => {
  const saved = ["data-00000-of-00001.arrow", "dataset_info.json", "state.json"];
  told(() => chooseTable(saved, "d"), /d is a data set as .*load_from_disk\("d"\)\.to_parquet/);
  told(() => chooseTable(["dataset_dict.json"], "d"), /load_from_disk\("d"\)\["train"\]\.to_parq/);
  told(() => chooseTable(["a.xlsx", "b.md"], "d"), /but a\.xlsx, which is an Excel workbook\. Exp/);
});

Deno.test("lines of text that were not downloaded are not trained on", async () => {
  const source = (text: string) => bytesSource(new TextEncoder().encode(text), "a.txt");
  assert.deepEqual((await readTexts(source("one\ntwo\n"))).texts, ["one", "two", ""]);
  await assert.rejects(readTexts(source(pointer)), /git lfs pull/);
  await assert.rejects(readTexts(source("<!doctype html>")), /a web page/);
});
