/** What a run's files say of its data and its predictions, and the comparison for a paper. */
import assert from "node:assert/strict";
import { escapeLatex, renderLatex } from "../../cli/shared/latex.ts";
import { dataReport } from "../../cli/train/data_report.ts";
import { predictionLines } from "../../cli/train/predictions.ts";

Deno.test("predictions: row, labels, probabilities and the text, long ones cut between characters", () => {
  const labels = ["anger", "joy"];
  const long = `${"😀".repeat(500)}!`;
  const lines = predictionLines(
    [{ text: "it\nrains", label: 1, row: 7 }, { text: long, label: 0 }],
    [
      { predicted: 0, probability: 0.25, confidence: 0.75 },
      { predicted: 0, probability: 1, confidence: 1 },
    ],
    labels,
  );
  const [first, second, rest] = lines.split("\n");
  assert.deepEqual(JSON.parse(first), {
    row: 7,
    label: "joy",
    predicted: "anger",
    probability: 0.25,
    confidence: 0.75,
    text: "it\nrains",
  });
  assert.equal(JSON.parse(second).text, `${"😀".repeat(500)}…`);
  assert.equal(JSON.parse(second).row, null);
  assert.equal(rest, "");
});

Deno.test("run.json counts labels by part, and words", () => {
  const example = (label: number, words: number) => ({ text: "w ".repeat(words), label });
  const { label_counts, words } = dataReport({
    train: [example(0, 1), example(1, 2), example(0, 3)],
    validation: [example(1, 481)],
    test: [example(0, 40)],
  }, ["anger", "joy"]);
  assert.deepEqual(label_counts, [
    { label: "anger", train: 2, validation: 0, test: 1 },
    { label: "joy", train: 1, validation: 1, test: 0 },
  ]);
  assert.deepEqual([words.median, words.percentile_95, words.longest], [3, 481, 481]);
  const counted = words.histogram.filter(({ rows }) => rows > 0);
  assert.deepEqual(counted, [
    { at_most: 2, rows: 2 },
    { at_most: 4, rows: 1 },
    { at_most: 40, rows: 1 },
    { at_most: null, rows: 1 },
  ]);
});

Deno.test("nothing in a LaTeX table is a command", () => {
  assert.equal(
    escapeLatex('100 % \\input{x} a_b ~^ <i>&$#|"\n'),
    "100 \\% \\textbackslash{}input\\{x\\} a\\_b \\textasciitilde{}\\textasciicircum{} " +
      "\\textless{}i\\textgreater{}\\&\\$\\#\\textbar{}\\textquotedbl{} ",
  );
  const columns = [{ title: "Method" }, { title: "Param %", right: true }];
  const lines = renderLatex(columns, [["Full", "100 %"]], { caption: "a_b", notes: ["50 %"] });
  for (
    const line of [
      "  \\begin{tabular}{lr}",
      "    Method & Param \\% \\\\",
      "    Full & 100 \\% \\\\",
      "  \\caption{a\\_b}",
      "  \\par\\smallskip\\footnotesize 50 \\%",
    ]
  ) assert.ok(lines.includes(line), line);
});
