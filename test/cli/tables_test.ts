/** Data files as they come, and what the commands say of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openTexts } from "../../cli/predict/texts.ts";
import { readAllTexts } from "../../cli/pretrain/corpus.ts";
import { UserError } from "../../models/errors.ts";
import { folderTest } from "../files/temporary.ts";
import { runTrain } from "./command.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const latin = bytesOf("text,label\nun caf\xe9,joy\nun th\xe9,fear\n");

folderTest("train says which flag reads a file, and reads it with that", async (folder) => {
  const count = (...args: string[]) =>
    runTrain(["--dry_run", "--method", "full", "--model_name", "mini", ...args]);
  const file = join(folder, "latin.csv");
  await Deno.writeFile(file, latin);
  const refused = await count("--dataset", file);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^Error: .*latin\.csv is not UTF-8 .* --encoding windows-1252\.\n$/);
  const read = await count("--dataset", file, "--encoding", "cp1252");
  assert.deepEqual([read.code, read.stderr], [0, ""]);
  assert.match(read.stdout, /^mini, 2 classes/);
  const unknown = await count("--dataset", file, "--encoding", "klingon");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--encoding: "klingon" is no encoding .* shift_jis/);

  const quotes = join(folder, "quotes.tsv");
  const rows = Array.from({ length: 12 }, (_, row) => `text ${row}\t${row % 2}`);
  rows[2] = `"${rows[2]}`;
  rows[8] = `text 8"\t0`;
  await Deno.writeTextFile(quotes, ["text\tlabel", ...rows].join("\n"));
  const noticed = await count("--dataset", quotes);
  assert.equal(noticed.code, 0);
  assert.match(
    noticed.stderr.replace(/\s+!?\s*/g, " "),
    /quotes\.tsv, line 4: .* spans 7 lines; 6 rows were read\. With --quoting none, .* 12 rows/,
  );
  const plain = await count("--dataset", quotes, "--quoting", "none");
  assert.deepEqual([plain.code, plain.stderr], [0, ""]);
});

folderTest("predict and pretrain read files as train does", async (folder) => {
  const table = join(folder, "latin.csv");
  const lines = join(folder, "lines.txt");
  await Deno.writeFile(table, latin);
  await Deno.writeFile(lines, bytesOf("un caf\xe9\n\nun th\xe9"));
  const input = { readable: new Blob([]).stream() };
  for (const file of [table, lines]) {
    const asked = { texts: [], file, encoding: "windows-1252" };
    const { arrivals } = await openTexts(asked, input);
    assert.deepEqual(await Array.fromAsync(arrivals), [["un café", "un thé"]], file);
    await assert.rejects(openTexts({ ...asked, encoding: undefined }, input), UserError);
  }
  const { texts, dropped } = await readAllTexts([table, lines], { encoding: "windows-1252" });
  assert.deepEqual([texts, dropped], [["un café", "un thé"], 2]);
  await assert.rejects(readAllTexts([table], {}), UserError);
  const quoted = join(folder, "quoted.csv");
  await Deno.writeTextFile(quoted, 'text\n"a\nb\n');
  const plain = await readAllTexts([quoted], { quoting: "none" });
  assert.deepEqual(plain.texts, ['"a', "b"]);
});
