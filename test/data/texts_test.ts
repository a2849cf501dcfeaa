import assert from "node:assert/strict";
import { readTexts } from "../../models/data/texts.ts";
import { bytesSource } from "../../models/files/byte_source.ts";

const source = (name: string, text: string) => bytesSource(new TextEncoder().encode(text), name);

Deno.test("texts are lines of a text file, or a column of a table; blanks go", async () => {
  const lines = source("a.txt", "\uFEFFone\r\n\n  two, too \nthree");
  assert.deepEqual(await readTexts(lines), ["one", "two, too", "three"]);
  const table = "id,Content,other\n1, one ,x\n2,,y\n";
  assert.deepEqual(await readTexts(source("a.csv", table)), ["one"]);
  assert.deepEqual(await readTexts(source("a.csv", table), "other"), ["x", "y"]);
  await assert.rejects(readTexts(source("a.csv", table), "none"), /no column "none"/);
  await assert.rejects(readTexts(source("a.pdf", "x")), /Cannot tell the format of a\.pdf.*\.txt/);
  await assert.rejects(
    readTexts(bytesSource(Uint8Array.of(0xff, 0xfe, 0x41), "a.txt")),
    /a\.txt is not UTF-8/,
  );
});
