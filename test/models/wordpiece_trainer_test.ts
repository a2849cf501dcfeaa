/** Training a WordPiece vocabulary. */
import assert from "node:assert/strict";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { countWords, specialTokens, trainVocabulary } from "../../models/text/wordpiece_trainer.ts";

const counted = (words: Record<string, number>) => new Map(Object.entries(words));

Deno.test("words are counted as an uncased BERT cuts them", () => {
  const counts = countWords(["Don't STOP, don’t stop", "Zoë zoe 中文"]);
  assert.deepEqual(Object.fromEntries(counts), {
    don: 2,
    "'": 1,
    "’": 1,
    t: 2,
    stop: 2,
    ",": 1,
    zoe: 2,
    中: 1,
    文: 1,
  });
});

Deno.test("the most frequent pair is merged first, counts move along, ties go by order", () => {
  // (a, ##b) and (##b, ##c) occur 9 times each; after the first, (##b, ##c) is left 4 times, as often as (x, ##b).
  const words = counted({ abc: 5, ab: 4, xbc: 4, q: 1 });
  const tokens = trainVocabulary(words, 100);
  assert.deepEqual(tokens.slice(0, 5), specialTokens);
  assert.deepEqual(tokens.slice(5), ["a", "x", "##b", "##c", "ab", "abc", "xb", "xbc"]);
  assert.deepEqual(trainVocabulary(words, 10), tokens.slice(0, 10));
});

Deno.test("a pair of a letter with itself is merged where it does not overlap", () => {
  const tokens = trainVocabulary(counted({ baaaa: 3 }), 100);
  assert.deepEqual(tokens.slice(5), ["b", "##a", "##aa", "baa", "baaaa"]);
});

Deno.test("characters that are rare, or too many, are no pieces, nor are the words with them", () => {
  const letters = Array.from({ length: 60 }, (_, i) => String.fromCodePoint(0x3b1 + i));
  const many = counted(Object.fromEntries(letters.map((letter, i) => [`${letter}`, 100 - i])));
  const tokens = trainVocabulary(many, 200);
  assert.equal(tokens.length, 5 + 40);
  assert.ok(tokens.includes(letters[39]) && !tokens.includes(letters[40]));
  assert.throws(() => trainVocabulary(many, 44), {
    name: "UserError",
    message: /^A vocabulary of 44 tokens is too small: .* are 45 already\.$/,
  });
});

Deno.test("a trained vocabulary cuts its own texts without [UNK]", async () => {
  const texts = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog and a log"];
  const tokens = trainVocabulary(countWords([...texts, ...texts]), 50);
  const vocab = new TextEncoder().encode(tokens.join("\n"));
  const folder = memoryFolder("trained", new Map([["vocab.txt", vocab]]));
  const tokenizer = await loadTokenizer(folder);
  const unknown = tokenizer.idOf("[UNK]")!;
  for (const text of texts) assert.ok(!tokenizer.encode(text, 64).includes(unknown));
  assert.equal(tokenizer.encode("the", 64).length, 3);
});
