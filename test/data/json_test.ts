/** Rows in JSON, in the ways in which programs write them. */
import assert from "node:assert/strict";
import { readDataset } from "../../models/data/load.ts";
import { openTable } from "../../models/data/table.ts";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";

const source = (text: string, name = "a.json") => bytesSource(new TextEncoder().encode(text), name);
const open = (text: string, name?: string) => openTable(source(text, name));

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("lines, arrays and what pandas writes are the same table", async () => {
  const rows = [{ text: "One", label: "joy" }, { text: "Two", label: null }];
  const [one, two] = rows;
  const texts = { "0": "One", "1": "Two" };
  const labels = { "0": "joy", "1": null };
  const documents: Record<string, unknown> = {
    records: rows,
    columns: { text: texts, label: labels },
    index: { "0": one, "1": two },
    split: { columns: ["text", "label"], index: [0, 1], data: [["One", "joy"], ["Two", null]] },
    table: { schema: { fields: [] }, data: rows.map((row, index) => ({ ...row, index })) },
    lists: { text: ["One", "Two"], label: ["joy", null] },
    wrapped: { version: "1.0", data: rows },
    viewer: { features: [], rows: rows.map((row, row_idx) => ({ row_idx, row })) },
  };
  const all = Object.entries(documents).flatMap(([name, document]) =>
    [0, 2].map((indent) => [name, JSON.stringify(document, null, indent)])
  );
  const lines = rows.map((row) => JSON.stringify(row)).join("\r\n\n");
  for (const [name, text] of [...all, ["lines", lines], ["BOM", `\uFEFF${lines}`]]) {
    for (const file of ["a.json", "a.jsonl", "a.ndjson"]) {
      const table = await open(text, file);
      assert.deepEqual(table.columns.slice(0, 2), ["text", "label"], name);
      assert.equal(table.rows, 2, name);
      assert.deepEqual(await table.read("text"), ["One", "Two"], name);
      assert.deepEqual(await table.read("label"), ["joy", ""], name);
    }
  }
});

Deno.test("numbers keep their digits, and Python's NaN is null", async () => {
  const numbers = "[9007199254740993, -9007199254740995, 1.0, 1e3, 0.5, NaN, -Infinity, true]";
  const rows = numbers.slice(1, -1).split(", ").map((label) =>
    `{"text": "NaN 1.0", "label": ${label}}`
  );
  const expected = "9007199254740993 -9007199254740995 1.0 1e3 0.5   true".split(" ");
  for (const text of [rows.join("\n"), `[${rows.join(",")}]`]) {
    const table = await open(text);
    assert.deepEqual(await table.read("label"), expected);
    assert.deepEqual(new Set(await table.read("text")), new Set(["NaN 1.0"]));
  }
});

Deno.test("nested fields are columns by dotted names", async () => {
  const table = await open(
    '{"data": {"text": "One", "by": {"name": "A"}}, "a.b": 1, "__proto__": {"x": 2}}\n' +
      '{"data": null, "a": {"b": 3}}\n{"data": {"text": "Three"}, "a.b": null}\n',
  );
  assert.deepEqual(table.columns, ["data.text", "data.by.name", "a.b", "__proto__.x", "data"]);
  assert.deepEqual(await table.read("data.text"), ["One", "", "Three"]);
  assert.deepEqual(await table.read("data.by.name"), ["A", "", ""]);
  assert.deepEqual(await table.read("a.b"), ["1", "3", ""]);
  assert.deepEqual(await table.read("__proto__.x"), ["2", "", ""]);
  await rejects(table.read("data"), /a\.json, line 1: "data" is an object/);
});

Deno.test("what is wrong is said with its line", async () => {
  const cases: [string, RegExp][] = [
    ['[\n {"text": "a"},\n {"text": }\n]', /^a\.json, line 3 is not JSON: Unexpected token '}'/],
    [`[\n${'{"text": "some words"},\n'.repeat(20)}]`, /^a\.json, line 22 is not JSON: Unexpected/],
    ['[{"text": "a"},\n{"text": "b', /^a\.json, line 2 is not JSON: Unterminated string\.$/],
    ['{"text": \n{"text": "b"}\n', /^a\.json, line 1 is not JSON: Unexpected end/],
    ['{"text": "a"}\n\n{"text": b}\n', /^a\.json, line 3 is not JSON: Unexpected token 'b'/],
    ['{"text": "a"}\n[1]\n', /^a\.json, line 2: expected an object/],
    ['{\n"text": "a"\n}\n{\n"text": "b"\n}', /objects that go over several lines.*jq -c/],
    [
      '[{"text": "a"}, ["b"]]',
      /^a\.json, row 2: expected an object .*, and these rows name no col/,
    ],
    ["[]", /is an empty array/],
    ["{}", /rows without any field/],
    ["3", /^a\.json, line 1: expected an object/],
    [" \n", /a\.json is empty/],
    ['{"a": {"x": 1}, "b": {"y": 2}}', /nothing tells its rows from its columns.*pandas/],
    ['{"columns": ["a", "b"], "data": [[1]]}', /row 1: 1 values, but 2 columns \(a, b\)/],
    [`{"a":${"[".repeat(1e5)}1.5${"]".repeat(1e5)}}`, /nested too deep/],
  ];
  for (const [text, message] of cases) await rejects(open(text), message);
});

Deno.test("labels that are lists are told apart from what is damaged", async () => {
  const rows = [1, 2].map((id) => JSON.stringify({ text: `t${id}`, tags: [id] })).join("\n");
  const about = { name: "a", source: "a", sample: false, notices: [] };
  const read = (asked: { textColumn?: string; labelColumn?: string }) =>
    readDataset({ ...about, files: [source(rows)] }, asked);
  await rejects(
    read({ labelColumn: "tags" }),
    /^a\.json, line 1: "tags" is a list: rows with several labels \(multi-label\) are not trained yet.*explode/,
  );
  await rejects(read({ textColumn: "tags", labelColumn: "text" }), /"tags" is a list\. One text/);
});
