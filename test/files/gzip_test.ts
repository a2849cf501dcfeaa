import assert from "node:assert/strict";
import { chooseTable } from "../../models/data/choose.ts";
import { extensionOf, isTable } from "../../models/data/kind.ts";
import { openTable } from "../../models/data/table.ts";
import { readTexts } from "../../models/data/texts.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { unpackGzip } from "../../models/files/gzip.ts";
import { UserError } from "../../models/errors.ts";

async function gzip(content: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("tables and texts are unpacked by their name or their first bytes", async () => {
  const files = {
    "a.csv.gz": "text,label\nHello,joy\n",
    "a.CSV.GZ": "text,label\nHello,joy\n",
    "misnamed.tsv": "text\tlabel\nHello\tjoy\n",
    "a.jsonl.gz": '{"text": "Hello", "label": "joy"}\n',
  };
  for (const [name, content] of Object.entries(files)) {
    const table = await openTable(bytesSource(await gzip(content), name));
    assert.deepEqual(await table.read("text"), ["Hello"], name);
    assert(isTable(name), name);
  }
  const { texts } = await readTexts(bytesSource(await gzip("one\ntwo"), "lines.txt.gz"));
  assert.deepEqual(texts, ["one", "two"]);
  assert.deepEqual(["a.csv.gz", "b.gz", ".gz"].map(extensionOf), [".csv", "", ""]);
  // Hardly compressed, and so longer than a portion.
  const digits = Array.from({ length: 20 }, () => {
    return crypto.getRandomValues(new Uint8Array(60000)).toHex();
  });
  const packed = await gzip(`text\n${digits.join("\n")}`);
  assert(packed.length > 2 ** 20);
  assert.deepEqual(await (await openTable(bytesSource(packed, "a.csv"))).read("text"), digits);
});

Deno.test("what is damaged, cut off, or followed by more is no table", async () => {
  const whole = await gzip("text,label\nHello,joy\n");
  const damaged = whole.with(20, whole[20] ^ 0xff);
  const open = (bytes: Uint8Array) => openTable(bytesSource(bytes, "a.csv.gz"));
  for (const bytes of [damaged, whole.slice(0, -9), whole.slice(0, 2)]) {
    await rejects(open(bytes), /^a\.csv\.gz cannot be unpacked by gzip: .* cut off/);
  }
  await rejects(open(Uint8Array.from([...whole, ...whole])), /or more follows its end\..*gunzip$/);
  await rejects(open(new TextEncoder().encode("text,label\na,b\n")), /cannot be unpacked/);
});

Deno.test("a file that holds too much is refused while it is counted", async () => {
  const bomb = await gzip(new Uint8Array(5e6));
  assert(bomb.length < 1e4);
  const taken: number[] = [];
  const source = bytesSource(bomb, "bomb.csv.gz");
  const watched = {
    ...source,
    slice(begin: number, end?: number) {
      taken.push(begin);
      return source.slice(begin, end);
    },
  };
  await rejects(unpackGzip(watched, 4e6), /^bomb\.csv\.gz holds more than 4 MB .* Split it/);
  assert.deepEqual(taken, [0], "the second pass, which takes memory, is not begun");
  assert.equal((await unpackGzip(source, 5e6)).byteLength, 5e6);
});

Deno.test("a folder's compressed tables are its data as others are", () => {
  const choose = (...paths: string[]) => chooseTable(paths, "org/data").train;
  assert.deepEqual(choose("train.csv.gz", "test.csv.gz", "README.md.gz"), ["train.csv.gz"]);
  assert.deepEqual(choose("a.csv", "a.csv.gz"), ["a.csv"]);
  const shards = ["data/train-00000-of-00002.jsonl.gz", "data/train-00001-of-00002.jsonl.gz"];
  assert.deepEqual(choose(...shards), shards);
});
