import assert from "node:assert/strict";
import { trainBagOfWords } from "../../models/baselines/bag_of_words.ts";
import { fitSoftmaxRegression, predictRows } from "../../models/baselines/softmax_regression.ts";
import { Tfidf } from "../../models/baselines/tfidf.ts";

const close = (actual: number, expected: number, within: number) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual}, not ${expected}`);

/** A row's values, in no order. */
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

Deno.test("words and pairs weigh as TfidfVectorizer(ngram_range=(1, 2)) has them", () => {
  const texts = ["I am so happy today", "so so sad, a day of days", "it’s Größe x"];
  const tfidf = new Tfidf(texts, "words", 100);
  const row = tfidf.row(texts[1]);
  // sklearn 1.9.1
  const expected = [...Array(9).fill(0.2973032329664839), 0.45221354359316734];
  sorted(row.values).forEach((value, index) => close(value, expected[index], 1e-6));
  assert.equal(tfidf.row("nothing of it").values.length, 2);
  assert.equal(tfidf.row("unknown").values.length, 0);
  assert.equal(new Tfidf(texts, "words", 3).width, 3);
});

Deno.test("pieces of words weigh as TfidfVectorizer(analyzer='char_wb', ngram_range=(2, 5)) has them", () => {
  const tfidf = new Tfidf(["ab a", "b"], "characters", 100);
  const expected = [0.21951095080860833, ...Array(6).fill(0.30851498220914664), 0.6170299644182933];
  sorted(tfidf.row("ab a").values).forEach((value, index) => close(value, expected[index], 1e-6));
});

Deno.test("the regression is LogisticRegression(C=1), intercept and penalty included", async () => {
  // sklearn: LogisticRegression(tol=1e-8).fit([[1, 0], [0, 1], [0.6, 0.8], [1, 0]], [0, 1, 2, 0])
  const row = (values: number[]) => ({
    columns: Uint32Array.from(values.keys()),
    values: Float32Array.from(values),
  });
  const rows = [[1, 0], [0, 1], [0.6, 0.8], [1, 0]].map(row);
  const model = await fitSoftmaxRegression({ rows, labels: [0, 1, 2, 0], width: 2, classes: 3 });
  const weights = [0.444732, -0.470098, 0.025367, -0.60987, 0.353748, 0.256122];
  model.weights.forEach((value, index) => close(value, weights[index], 2e-3));
  assert.deepEqual(predictRows(rows, model), [0, 1, 0, 0]);
});

Deno.test("a bag of words learns words that tell classes apart", async () => {
  const example = (row: number) => ({
    text: `${["joy", "rage", "tears"][row % 3]} of day ${row}`,
    label: row % 3,
  });
  const train = Array.from({ length: 60 }, (_, row) => example(row));
  const test = Array.from({ length: 12 }, (_, row) => example(row + 100));
  const bag = await trainBagOfWords({ train, test }, ["a", "b", "c"], "words");
  assert.equal(bag.test.accuracy, 1);
  assert.ok(bag.test.loss < Math.log(3));
  assert.equal(bag.trainableParameters % 3, 0);
});
