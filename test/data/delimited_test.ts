import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDelimited } from "../../models/data/delimited.ts";
import { UserError } from "../../models/errors.ts";

const fieldsOf = (text: string, delimiter = ",") =>
  parseDelimited(text, delimiter, "x.csv").map(({ fields }) => fields);

Deno.test("quotes, escapes, embedded line ends, BOM and CRLF", () => {
  assert.deepEqual(
    fieldsOf('\uFEFFtext,label\r\n"He said ""no"", twice",anger\r\n"two\nlines",joy\r\n'),
    [["text", "label"], ['He said "no", twice', "anger"], ["two\nlines", "joy"]],
  );
  assert.deepEqual(fieldsOf('a,,"",d\n'), [["a", "", "", "d"]]);
  assert.deepEqual(fieldsOf("a,b,"), [["a", "b", ""]]);
  assert.deepEqual(fieldsOf('5" tall,b\rc,d'), [['5" tall', "b"], ["c", "d"]]);
  assert.deepEqual(fieldsOf("a,b\tc\n", "\t"), [["a,b", "c"]]);
  assert.deepEqual(fieldsOf("\n\na\n\n"), [["a"]]);
  assert.deepEqual(fieldsOf(""), []);
});

Deno.test("rows know their line, counting those inside quotes", () => {
  const rows = parseDelimited('h\n"a\r\nb\n"\n\nc', ",", "x.csv");
  assert.deepEqual(rows.map(({ line }) => line), [1, 2, 6]);
});

Deno.test("an open quote and text after a closing quote are errors with their line", () => {
  const message = (text: string) => {
    try {
      fieldsOf(text);
    } catch (error) {
      assert(error instanceof UserError);
      return error.message;
    }
    assert.fail("no error");
  };
  assert.match(message('a,b\n"open,c\nd,e\n'), /^x\.csv, line 2: a quoted field starts here/);
  assert.match(message('a\n"b\nc"d\n'), /^x\.csv, line 3: text follows a closing quote/);
});

Deno.test("whatever is written by RFC 4180 is read back", () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "\t", " ", "é") });
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
  fc.assert(fc.property(table, fc.constantFrom(",", "\t"), fc.constantFrom("\n", "\r\n"), (
    rows,
    delimiter,
    lineEnd,
  ) => {
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const text = rows.map((row) => row.map(quote).join(delimiter)).join(lineEnd);
    assert.deepEqual(fieldsOf(text, delimiter), rows);
  }));
});
