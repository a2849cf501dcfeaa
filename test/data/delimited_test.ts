import assert from "node:assert/strict";
import fc from "fast-check";
import { columnNames } from "../../models/data/column_names.ts";
import { delimitedTable } from "../../models/data/delimited.ts";
import { delimitedRows, type Quoting } from "../../models/data/delimited_rows.ts";
import { UserError } from "../../models/errors.ts";

type Options = { usual?: string; quoting?: Quoting };

const tableOf = (text: string, { usual = ",", quoting }: Options = {}) =>
  delimitedTable(text, "x.csv", { usual, quoting });

/** The names and the rows. */
async function gridOf(text: string, options?: Options): Promise<string[][]> {
  const { columns, rows, read } = tableOf(text, options);
  const values = await Promise.all(columns.map((column) => read(column)));
  return [columns, ...Array.from({ length: rows }, (_, row) => values.map((all) => all[row]))];
}

function errorOf(text: string, options?: Options): UserError {
  try {
    tableOf(text, options);
  } catch (error) {
    assert(error instanceof UserError, String(error));
    return error;
  }
  assert.fail("no error");
}

const rows = [["text", "label"], ["Hello, you", "joy"], ['5" tall; a|b', "fear"]];

Deno.test("quotes, escapes, embedded line ends and every kind of line end", async () => {
  assert.deepEqual(
    await gridOf('text,label\r\n"He said ""no"", twice",anger\r\n"two\nlines",joy\r\n'),
    [["text", "label"], ['He said "no", twice', "anger"], ["two\nlines", "joy"]],
  );
  assert.deepEqual(await gridOf('a,b,c,d\n1,,"",2'), [["a", "b", "c", "d"], ["1", "", "", "2"]]);
  assert.deepEqual(await gridOf('a,b\r5" tall,c\rd,e'), [["a", "b"], ['5" tall', "c"], ["d", "e"]]);
  // Some lines end as on Windows, some do not, and Python's writer has doubled a CR.
  assert.deepEqual(await gridOf('a,b\r\n1,"2"\n3,4\r\n5,6\r\r\n'), [
    ["a", "b"],
    ["1", "2"],
    ["3", "4"],
    ["5", "6"],
  ]);
  assert.deepEqual(await gridOf("\n\na,b\n\n1,2\n  \n \t\n"), [["a", "b"], ["1", "2"]]);
});

Deno.test("the delimiter is found, whatever the file is called", async () => {
  const quoted = (delimiter: string) =>
    rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(delimiter));
  for (const delimiter of [",", ";", "\t", "|"]) {
    for (const usual of [",", "\t"]) {
      assert.deepEqual(await gridOf(quoted(delimiter).join("\n"), { usual }), rows, delimiter);
    }
  }
  // Commas in the texts, in numbers and within a name are none between fields.
  assert.deepEqual(
    await gridOf('text;"score, of 5";label\nHello, you;4,5;joy\n'),
    [["text", "score, of 5", "label"], ["Hello, you", "4,5", "joy"]],
  );
  assert.deepEqual(await gridOf("text, or so;label\na;b\n"), [["text, or so", "label"], [
    "a",
    "b",
  ]]);
  // A single column has none.
  assert.deepEqual(await gridOf('text\nHello, you\n"a; b"\n'), [["text"], ["Hello, you"], [
    "a; b",
  ]]);
});

Deno.test("Excel's first line tells the delimiter, and is no row", async () => {
  for (const line of ["sep=;\r\n", '"sep=;"\n', "SEP=;\r"]) {
    assert.deepEqual(await gridOf(`${line}a,b;c\n1;2\n`), [["a,b", "c"], ["1", "2"]]);
  }
  assert.deepEqual(await gridOf("sep=^\na^b\n1^2"), [["a", "b"], ["1", "2"]]);
  assert.match(errorOf("sep=,\na,b\n1\n").message, /^x\.csv, line 3: 1 field, but/);
});

Deno.test("blanks may stand between a delimiter and a quote", async () => {
  assert.deepEqual(
    await gridOf('a, "b"\n "x, ""y""",  "z"\n1, "He said, ""no"""\n"p, ",2\n'),
    [["a", "b"], ['x, "y"', "z"], ["1", 'He said, "no"'], ["p, ", "2"]],
  );
});

Deno.test("columns are named as pandas names them", () => {
  assert.deepEqual(columnNames(["v1", "v2", "", " ", ""]), [
    "v1",
    "v2",
    "Unnamed: 2",
    "Unnamed: 3",
    "Unnamed: 4",
  ]);
  assert.deepEqual(columnNames(["note", " note", "note"]), ["note", "note.1", "note.2"]);
  assert.deepEqual(columnNames(["a", "a", "a.1"]), ["a", "a.2", "a.1"]);
  assert.deepEqual(columnNames(["", "Unnamed: 0"]), ["Unnamed: 0.1", "Unnamed: 0"]);
});

Deno.test("of two columns of one name the first is read, under a notice where it is used", async () => {
  const table = tableOf("text,note,text,label,note\na,1,b,joy,2\n");
  assert.deepEqual(await table.read("text"), ["a"]);
  assert.deepEqual(await table.read("note.1"), ["2"]);
  const messages = table.notices?.(["text", "label"]).map(({ message }) => message);
  assert.equal(messages?.length, 1);
  assert.match(messages[0], /^x\.csv: several columns are called "text"\. .* called "text\.1"\.$/);
});

Deno.test("R's rows have a number that the first line does not name", async () => {
  assert.deepEqual(
    await gridOf('"text","label"\n"1","a","joy"\n"2","b","fear"\n'),
    [["Unnamed: 0", "text", "label"], ["1", "a", "joy"], ["2", "b", "fear"]],
  );
  assert.match(errorOf("text,label\n1,a,joy\n3,b,fear\n").message, /^x\.csv, line 2: 3 fields/);
});

Deno.test("quotes within quotes may have a backslash before them", async () => {
  assert.deepEqual(
    await gridOf('a,b\n"he said \\"no\\", twice",1\n"\\"x\\"",2\n'),
    [["a", "b"], ['he said "no", twice', "1"], ['"x"', "2"]],
  );
  assert.match(errorOf('a,b\n"\\"x" y,1\n').message, /^x\.csv, line 2: a quoted field/);
});

Deno.test("surplus empty fields go, nameless ones may be missing, all else must fit", async () => {
  assert.deepEqual(await gridOf("a,b\n1,2,,,\n"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(
    await gridOf("v1,v2,,\nham,Hi\nspam,Win,more,\n"),
    [
      ["v1", "v2", "Unnamed: 2", "Unnamed: 3"],
      ["ham", "Hi", "", ""],
      ["spam", "Win", "more", ""],
    ],
  );
  assert.match(
    errorOf('text,label\n"a\nb",joy\nHello, you,joy\n').message,
    /^x\.csv, line 4: 3 fields, but the first line names 2 columns \(text, label\)\..* a comma /,
  );
  assert.match(
    errorOf("text|label\na|b\ncut off").message,
    /line 3: 1 field, .* the last row: the file may be cut off\.$/,
  );
});

Deno.test("a quoted field that does not end, or goes on, is told with the line it starts on", () => {
  const open = errorOf('a,b\n1,"open,c\nd,e\n');
  assert.match(open.message, /^x\.csv, line 2: a quoted field starts here and never ends\./);
  assert.equal(open.remedy, undefined, "three fields in line 2 without quoting");
  const goesOn = errorOf('a\tb\nx\ty\n"Great" film\tjoy\nz\tfear\n', { usual: "\t" });
  assert.match(goesOn.message, /^x\.csv, line 3: .* text follows its closing quote\. .* ""/);
  assert.deepEqual(goesOn.remedy, { kind: "plainQuotes", rows: 3 });
});

Deno.test("whatever the pieces that are parsed at once, rows and broken quotes are the same", () => {
  const unit = fc.constantFrom(
    "a",
    '"',
    '""',
    '","',
    ",",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    '"\n"',
    'a,"b"\n',
  );
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 40 }),
      fc.integer({ min: 1, max: 12 }),
      (text, length) => {
        const whole = delimitedRows(text, ",", "standard");
        const pieces = delimitedRows(text, ",", "standard", length);
        if (whole.broken === undefined) return assert.deepEqual(pieces, whole);
        assert(pieces.broken !== undefined);
        const before = whole.starts.filter((start) => start < pieces.broken!.at).length - 1;
        assert.deepEqual(pieces.rows.slice(0, before), whole.rows.slice(0, before));
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("a quote that swallows rows is noticed, and is a character where that is asked for", async () => {
  const lines = Array.from({ length: 30 }, (_, row) => `text ${row}\tjoy`);
  lines[4] = `"${lines[4]}`;
  lines[14] = `text 14"\tjoy`;
  const text = ["text\tlabel", ...lines].join("\n");
  const noticesOf = (text: string, options?: Options) =>
    tableOf(text, options).notices?.(["text", "label"]);
  assert.equal(tableOf(text, { usual: "\t" }).rows, 20);
  const [notice] = noticesOf(text, { usual: "\t" }) ?? [];
  assert.match(notice.message, /^x\.csv, line 6: .* spans 11 lines; 20 rows were read\.$/);
  assert.deepEqual(notice.remedy, { kind: "plainQuotes", rows: 30 });
  const plain = await gridOf(text, { usual: "\t", quoting: "none" });
  assert.deepEqual(plain.slice(5, 6), [['"text 4', "joy"]]);
  assert.deepEqual(noticesOf(text, { usual: "\t", quoting: "none" }), []);
  // Where the rest does not fit, the error tells the same way out.
  const ragged = errorOf(`${text}\none\ttoo\tmany`, { usual: "\t" });
  assert.match(ragged.message, /line 32: 3 fields/);
  const letters = ["a poem,", "of many", "lines, or", "verses,", "is", "no", "swallowed row"];
  assert.deepEqual(noticesOf(`text,label\n"${letters.join("\n")}",joy\n`), []);
});

Deno.test("whatever is written by RFC 4180 is read back", async () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", "\t", " ", "é") });
  const table = fc.array(fc.tuple(field, field, field), { maxLength: 6 });
  const property = fc.asyncProperty(
    table,
    fc.constantFrom(",", "\t", ";"),
    fc.constantFrom("\n", "\r\n"),
    async (rows, delimiter, lineEnd) => {
      const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const all = [["x", "y", "z"], ...rows];
      const text = all.map((row) => row.map(quote).join(delimiter)).join(lineEnd);
      assert.deepEqual(await gridOf(text, { usual: delimiter }), all);
    },
  );
  await fc.assert(property);
});
