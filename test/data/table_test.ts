import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openTable } from "../../models/data/table.ts";
import { UserError } from "../../models/errors.ts";
import { blobSource, bytesSource } from "../../models/files/byte_source.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const sourceOf = (name: string, content: string | Uint8Array) =>
  bytesSource(typeof content === "string" ? new TextEncoder().encode(content) : content, name);

/** As a page has a file that somebody dropped on it. */
const parquet = async (name: string) =>
  await openTable(blobSource(new Blob([await Deno.readFile(fixture(name))]), name));

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("the formats give the same table", async () => {
  const files = {
    "a.csv": '\uFEFFtext,label\r\n"Hello, you",joy\r\nBye,sadness\r\n',
    "a.tsv": "text\tlabel\nHello, you\tjoy\nBye\tsadness\n",
    "a.jsonl": '{"text": "Hello, you", "label": "joy"}\r\n\n{"text": "Bye", "label": "sadness"}',
  };
  for (const [name, content] of Object.entries(files)) {
    const table = await openTable(sourceOf(name, content));
    assert.deepEqual(table.columns, ["text", "label"], name);
    assert.equal(table.rows, 2);
    assert.deepEqual(await table.read("text"), ["Hello, you", "Bye"], name);
    assert.deepEqual(await table.read("label"), ["joy", "sadness"], name);
  }
});

Deno.test("what cannot be read is an error that says where", async () => {
  const files = {
    "ragged.csv": 'text,label\n"a\nb",joy\nHello, you,joy\n',
    "empty.tsv": "",
    "latin.csv": new Uint8Array([116, 44, 108, 10, 0xe9, 44, 98]),
    "broken.jsonl": '{"text": "a", "label": "b"}\n{"text": \n',
    "list.jsonl": '{"text": "a", "label": "b"}\n{"text": "a", "label": ["b", "c"]}\n',
    "array.ndjson": "[1]\n",
    "no.parquet": "PAR1 not at all",
    "data.xlsx": "",
  };
  const open = (name: keyof typeof files) => openTable(sourceOf(name, files[name]));
  await rejects(
    open("ragged.csv"),
    /ragged\.csv, line 4: 3 fields, but the first line names 2 columns/,
  );
  await rejects(open("empty.tsv"), /is empty/);
  await rejects(open("latin.csv"), /is not UTF-8 text: see line 2\. .* windows-1252/);
  await rejects(open("broken.jsonl"), /broken\.jsonl, line 2 is not JSON: /);
  const lists = await open("list.jsonl");
  await rejects(lists.read("label"), /list\.jsonl, line 2: "label" is a list/);
  await rejects(open("array.ndjson"), /array\.ndjson, row 1: expected an object/);
  await rejects(open("no.parquet"), /Cannot read .* as Parquet/);
  await rejects(open("data.xlsx"), /data\.xlsx is an Excel workbook\. Export its sheet as CSV/);
});

Deno.test("missing and null values are empty, numbers are text", async () => {
  const table = await openTable(sourceOf("a.jsonl", '{"a": 1, "b": null}\n{"b": true}\n'));
  assert.deepEqual(await table.read("a"), ["1", ""]);
  assert.deepEqual(await table.read("b"), ["", "true"]);
});

Deno.test("Parquet: strings, nulls and snappy", async () => {
  const table = await parquet("strings.parquet");
  assert.deepEqual(table.columns, ["Sentence", "Label"]);
  assert.equal(table.rows, 6);
  assert.deepEqual((await table.read("Sentence")).slice(3), ["It's Monday.", "", "naïve café ☕"]);
  assert.deepEqual((await table.read("Label")).slice(0, 2), ["joy", "sadness"]);
});

Deno.test("Parquet: class numbers become the names that the schema carries", async () => {
  const table = await parquet("classes.parquet");
  assert.deepEqual(table.columns, ["text", "label", "tokens"]);
  assert.deepEqual(await table.read("label"), ["joy", "sadness", "joy", "neutral", "joy", ""]);
  await rejects(table.read("tokens"), /classes\.parquet: "tokens" is a list/);
});
