/** Labels as people and programs read them: tables, of one run or several side by side, and lines of JSON. */
import { formatCount } from "../shared/format.ts";
import { type Column, renderTable, widest } from "../shared/table.ts";
import { harmless } from "../shared/terminal.ts";
import type { Labeller, RunTiming } from "../trained/labeller.ts";

/** A label and its probability. */
export interface Ranked {
  label: string;
  probability: number;
}

/** A text and its labels, the best first. */
export interface Prediction {
  text: string;
  ranked: Ranked[];
}

/** A text and what each run says of it, in the order of the runs. */
export interface Comparison {
  text: string;
  rankings: Ranked[][];
}

/** The labels of a text by their probabilities, the best first; equal ones in the classifier's order. */
export function rank(labels: readonly string[], probabilities: Float64Array): Ranked[] {
  const ranked = labels.map((label, id) => ({ label, probability: probabilities[id] }));
  return ranked.sort((a, b) => b.probability - a.probability);
}

const oneLine = (text: string) => harmless(text.replace(/\s+/g, " "));

const textColumn: Column = { title: "Text", shrinks: true };

const labelColumns: Column[] = [{ title: "Label" }, { title: "Probability", right: true }];

/** A table with the best labels of each text, at most `width` columns wide. */
export function predictionTable(
  predictions: readonly Prediction[],
  topK: number,
  width: number,
): string[] {
  const rows = predictions.flatMap(({ text, ranked }) =>
    ranked.slice(0, topK).map(({ label, probability }, place) => [
      place === 0 ? oneLine(text) : "",
      label,
      probability.toFixed(4),
    ])
  );
  return renderTable([textColumn, ...labelColumns], rows, width);
}

/** Whether the runs give a text one label. */
export function agree({ rankings }: Comparison): boolean {
  return new Set(rankings.map(([best]) => best.label)).size === 1;
}

/** Columns that a text keeps at least where the runs stand side by side. */
const leastText = 16;

/**
 * A table with the best labels of each text by each run: a column a run, or a row where the columns, with something of
 * the texts beside them, are wider than `width`.
 */
export function comparisonTable(
  names: readonly string[],
  comparisons: readonly Comparison[],
  topK: number,
  width: number,
): string[] {
  const same = (comparison: Comparison) => agree(comparison) ? "yes" : "no";
  const cell = (ranked: Ranked | undefined) =>
    ranked ? `${harmless(ranked.label)} ${ranked.probability.toFixed(4)}` : "";
  const sameColumn: Column = { title: "Same" };
  const wide: Column[] = [textColumn, ...names.map((title) => ({ title })), sameColumn];
  const beside = comparisons.flatMap((comparison) => {
    const { text, rankings } = comparison;
    const most = Math.min(topK, Math.max(...rankings.map(({ length }) => length)));
    return Array.from({ length: most }, (_, place) => [
      place === 0 ? oneLine(text) : "",
      ...rankings.map((ranked) => cell(ranked[place])),
      place === 0 ? same(comparison) : "",
    ]);
  });
  const widths = wide.map(({ title }, column) =>
    Math.max(title.length, widest(beside.map((row) => row[column])))
  );
  const taken = widths.reduce((sum, each) => sum + each + 2, -2);
  if (taken - widths[0] + Math.min(widths[0], leastText) <= width) {
    return renderTable(wide, beside, width);
  }
  const below = comparisons.flatMap((comparison) =>
    comparison.rankings.flatMap((ranked, run) =>
      ranked.slice(0, topK).map(({ label, probability }, place) => [
        run + place === 0 ? oneLine(comparison.text) : "",
        place === 0 ? names[run] : "",
        label,
        probability.toFixed(4),
        run + place === 0 ? same(comparison) : "",
      ])
    )
  );
  return renderTable([textColumn, { title: "Run" }, ...labelColumns, sameColumn], below, width);
}

/** One line of JSON; it names the run where there are several. */
export function predictionLine(
  { text, ranked }: Prediction,
  topK = ranked.length,
  run?: string,
): string {
  const best = ranked.slice(0, topK).map(({ label, probability }) => [label, probability]);
  return JSON.stringify({ text, run, ...ranked[0], probabilities: Object.fromEntries(best) });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `0.42 ms`, `12 ms`, `1,340 ms` */
const milliseconds = (value: number) =>
  `${value < 9.95 ? value.toFixed(value < 0.995 ? 2 : 1) : formatCount(value)} ms`;

/** What runs side by side took, as lines. */
export function timingLines({ bases, runs }: Labeller["timings"]): string[] {
  const time = ({ perSentence }: RunTiming) =>
    `${milliseconds(median(perSentence))} a sentence` +
    (perSentence.length > 1 ? ` (median of ${formatCount(perSentence.length)})` : "");
  return [
    ...bases.map(({ name, dtype, placing }) =>
      `Base ${name}${dtype === "f32" ? "" : ` in ${dtype}`}: loaded once, in ${
        milliseconds(placing)
      }`
    ),
    ...runs.filter(({ perSentence }) => perSentence.length > 0).map((run) =>
      `${run.name}: ${formatCount(run.trained)} values ${
        run.whole ? "(a whole model)" : "of its own"
      } in ${milliseconds(run.placing)}; ${time(run)}`
    ),
  ];
}
