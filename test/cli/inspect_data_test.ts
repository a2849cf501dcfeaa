/** Data sets that training refuses: an inspection says so too, and names no command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "../../cli/inspect.ts";
import { folderTest } from "../files/temporary.ts";

const unused = { text: "no command of this program takes it as it is." };

folderTest("shards whose columns differ", async (folder) => {
  const shard = (index: number) => join(folder, `train-0000${index}-of-00002.csv`);
  await Deno.writeTextFile(shard(0), "text,label\na,joy\nb,fear\n");
  await Deno.writeTextFile(shard(1), "sentence,label\nc,joy\n");
  const { problems, use, damaged } = await inspect(folder);
  assert.equal(problems.length, 1);
  assert.match(problems[0], /differ in their columns: .* has "text", .* has "sentence", "label"/);
  assert.deepEqual([use, damaged], [unused, true]);
  await Deno.writeTextFile(shard(1), "text,label\nc,joy\n");
  assert.deepEqual((await inspect(folder)).problems, []);
});

folderTest("fewer than two classes", async (folder) => {
  const path = join(folder, "x.csv");
  const told = async (rows: string) => {
    await Deno.writeTextFile(path, `text,label\n${rows}`);
    return await inspect(path);
  };
  const one = await told("a,joy\nb,joy \nc,\n");
  assert.deepEqual(one.problems, [
    'It has one class, "joy"; a classifier needs at least two classes.',
  ]);
  assert.deepEqual([one.use, one.details.rows], [unused, 3]);
  const none = await told("a,nan\nb,\n");
  assert.match(none.problems.join(), /^It has no labelled rows; /);
  assert.deepEqual((await told("a,1\nb,2.0\n")).problems, []);
  assert.match((await told("a,1\nb,1.0\n")).problems.join(), /one class, "1"/);
});
