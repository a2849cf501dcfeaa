import assert from "node:assert/strict";
import { readTexts } from "../../models/data/texts.ts";
import { bytesSource } from "../../models/files/byte_source.ts";

const source = (name: string, text: string) => bytesSource(new TextEncoder().encode(text), name);

Deno.test("texts are lines of a text file, or a column of a table; as they stand", async () => {
  const lines = source("a.txt", "\uFEFFone\r\n\n  two, too \nthree");
  assert.deepEqual((await readTexts(lines)).texts, ["one", "", "  two, too ", "three"]);
  const table = "id,Content,other\n1, one ,x\n2,,y\n";
  const read = async (textColumn?: string) =>
    (await readTexts(source("a.csv", table), { textColumn })).texts;
  assert.deepEqual(await read(), [" one ", ""]);
  assert.deepEqual(await read("other"), ["x", "y"]);
  await assert.rejects(read("none"), /no column "none"/);
  const latin = bytesSource(Uint8Array.of(0x63, 0x61, 0x66, 0xe9), "a.txt");
  assert.deepEqual((await readTexts(latin, { encoding: "windows-1252" })).texts, ["café"]);
  await assert.rejects(readTexts(source("a.pdf", "x")), /Cannot tell the format of a\.pdf.*\.txt/);
  await assert.rejects(
    readTexts(latin),
    /a\.txt is not UTF-8/,
  );
});
