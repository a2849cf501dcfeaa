import assert from "node:assert/strict";
import { encodingNamed } from "../../models/data/encodings.ts";
import { decodeText, mostTextBytes, readText } from "../../models/data/text_decoding.ts";
import { UserError } from "../../models/errors.ts";
import type { ByteSource } from "../../models/files/byte_source.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** The bytes of whole numbers, `size` bytes each. */
function wide(numbers: Iterable<number>, size: 2 | 4, littleEndian: boolean): Uint8Array {
  const all = [...numbers];
  const view = new DataView(new ArrayBuffer(size * all.length));
  for (const [at, value] of all.entries()) {
    if (size === 2) view.setUint16(2 * at, value, littleEndian);
    else view.setUint32(4 * at, value, littleEndian);
  }
  return new Uint8Array(view.buffer);
}

const units = (text: string) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
const points = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);

/** Bytes of texts in the encodings of Python, by their hexadecimal digits: `"…".encode("gbk").hex()`. */
const encoded: [encoding: string, text: string, hex: string][] = [
  ["shift_jis", "スープ、今日", "8358815b837681418da193fa"],
  ["euc-jp", "これはスープ", "a4b3a4eca4cfa5b9a1bca5d7"],
  ["gbk", "今天的汤很好", "bdf1ccecb5c4ccc0badcbac3"],
  ["big5", "今天的湯很好", "a4b5a4d1aabab4f6abdca66e"],
  ["euc-kr", "오늘 수프는", "bfc0b4c320bcf6c7c1b4c2"],
  ["windows-1251", "суп был хорош", "f1f3ef20e1fbeb20f5eef0eef8"],
  ["koi8-r", "суп был хорош", "d3d5d020c2d9cc20c8cfd2cfdb"],
  ["windows-1250", "żółć się", "bff3b3e6207369ea"],
  ["macintosh", "café – don’t", "6361668e20d020646f6ed574"],
  ["windows-1252", "crème brûlée – 5 £", "6372e86d65206272fb6ce9652096203520a3"],
];

function errorOf(bytes: Uint8Array, encoding?: string): UserError {
  try {
    decodeText(bytes, "x.csv", encoding);
  } catch (error) {
    assert(error instanceof UserError, String(error));
    return error;
  }
  assert.fail("no error");
}

Deno.test("UTF-8, UTF-16 and UTF-32 are told apart", () => {
  const text = "text,label\nmañana 🙂,joy\n";
  assert.equal(decodeText(utf8(`\uFEFF${text}`), "x.csv"), text);
  for (const mark of ["\uFEFF", ""]) {
    for (const littleEndian of [true, false]) {
      const name = `${mark ? "with" : "without"} mark, ${littleEndian ? "little" : "big"} endian`;
      assert.equal(decodeText(wide(units(mark + text), 2, littleEndian), name), text, name);
      assert.equal(decodeText(wide(points(mark + text), 4, littleEndian), name), text, name);
    }
  }
  // A mark goes before the name that is given; without one the name goes before the zeros.
  assert.equal(decodeText(utf8("\uFEFFé"), "x.csv", "windows-1252"), "é");
  assert.equal(decodeText(wide(units("語"), 2, false), "x.csv", "utf-16be"), "語");
  const long = "🙂".repeat(9000);
  assert.equal(decodeText(wide(points(long), 4, true), "x.csv", "utf-32le"), long);
});

Deno.test("another encoding is guessed, and read where it is named", () => {
  for (const [encoding, text, hex] of encoded) {
    const bytes = Uint8Array.fromHex(hex);
    const line = [...utf8("text,label\nthe "), ...bytes, ...utf8(" made me smile,joy\n")];
    const error = errorOf(Uint8Array.from(line));
    const sentence =
      `^x\\.csv is not UTF-8 text: see line 2\\. .* probably ${encoding}( or gbk)?\\.$`;
    assert.match(error.message, new RegExp(sentence));
    assert.deepEqual(error.remedy, { kind: "nameEncoding", likely: encoding });
    assert.equal(decodeText(bytes, "x.csv", encoding), text);
  }
});

Deno.test("where a few characters fit several encodings, all of them are named", () => {
  const soup = Uint8Array.from([...Uint8Array.fromHex("bcf6c7c1"), ...utf8(" is good")]);
  assert.match(errorOf(soup).message, / probably euc-kr or gbk\.$/);
  assert.match(errorOf(Uint8Array.of(0x80, 0xff)).message, /not UTF-8 text: see line 1\.$/);
});

Deno.test("a name of Python's or of the web's list names an encoding", () => {
  const names = {
    "Shift_JIS": "shift_jis",
    cp932: "shift_jis",
    latin1: "windows-1252",
    utf_8: "utf-8",
    "utf-8-sig": "utf-8",
    "UTF-16": "utf-16le",
    utf_32_be: "utf-32be",
    euc_kr: "euc-kr",
    "iso-8859-15": "iso-8859-15",
  };
  for (const [name, encoding] of Object.entries(names)) {
    assert.equal(encodingNamed(name), encoding, name);
  }
  for (const name of ["klingon", "", "constructor"]) assert.equal(encodingNamed(name), undefined);
});

Deno.test("damaged lines, wrong names, zero bytes and pictures have a sentence each", () => {
  const damaged = [...utf8("é\nü\nö\na"), 0xff, ...utf8("\nß")];
  const error = errorOf(Uint8Array.from(damaged));
  assert.match(error.message, /^x\.csv is UTF-8 text but for line 4, which may be damaged\./);
  assert.match(
    errorOf(Uint8Array.of(0x61, 0x0a, 0xff), "shift_jis").message,
    /shift_jis .* line 2/,
  );
  assert.match(errorOf(Uint8Array.of(0xff, 0xfe, 0x41)).message, /not UTF-16LE text/);
  assert.match(errorOf(Uint8Array.of(1, 2, 3), "utf-32le").message, /not UTF-32LE text/);
  assert.match(errorOf(wide([0x110000], 4, true), "utf-32le").message, /not UTF-32LE text/);
  assert.match(errorOf(utf8("a,b\n1,\0\n")).message, /a NUL byte on line 2/);
  const picture = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);
  assert.match(errorOf(picture).message, /^x\.csv is no text: it has NUL bytes/);
});

Deno.test("a text that no string can hold is refused before it is read", async () => {
  const huge: ByteSource = {
    name: "huge.jsonl",
    byteLength: 3e9,
    slice: () => assert.fail("it was read"),
  };
  await assert.rejects(
    readText(huge),
    /huge\.jsonl has 3\.0 GB; text is read up to 512 MB a file\. Split it, or .* Parquet/,
  );
  assert(mostTextBytes < 2 ** 29 - 24);
});
