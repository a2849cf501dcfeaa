/** What was taken for what: a run's confusion matrix. */
import * as Plot from "@observablehq/plot";
import { formatCount } from "../../shared/format.ts";
import { type Chart, chartWidth, shortened } from "../figure.ts";
import type { ShownRun } from "../model.ts";
import type { DataTable } from "../tables.ts";

interface Cell {
  actual: number;
  predicted: number;
  count: number;
  /** Of the rows of its label. */
  share: number;
}

/** So many classes fit a telephone with a count in each cell. */
const mostNumbered = 16;

/** Of so many classes a chart is drawn; of more, the table is told alone. */
const mostDrawn = 100;

/** So many confusions stand in the table behind the chart. */
const mostListed = 100;

function cellsOf(confusion: readonly (readonly number[])[]): Cell[] {
  return confusion.flatMap((row, actual) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => ({ actual, predicted, count, share: count / support }));
  }).filter(({ count }) => count > 0);
}

/** A run's confusion matrix, where its files have one. */
function confusionOf({ fields: { test } }: ShownRun) {
  const { confusion_matrix: confusion, per_class: classes } = test;
  if (confusion.length === 0 || confusion.length !== classes.length) return undefined;
  const cells = cellsOf(confusion);
  return {
    labels: classes.map(({ label }) => label),
    cells,
    wrong: cells.filter(({ actual, predicted }) => actual !== predicted)
      .sort((a, b) => b.count - a.count),
  };
}

/** The most frequent confusions, for runs of too many classes to draw; undefined for others. */
export function confusionList(run: ShownRun): DataTable | undefined {
  const found = confusionOf(run);
  if (found === undefined || found.labels.length <= mostDrawn) return undefined;
  return listOf(found.wrong, found.labels);
}

const listOf = (wrong: readonly Cell[], labels: readonly string[]): DataTable => ({
  columns: [{ title: "Label" }, { title: "Taken for" }, { title: "Sentences", right: true }],
  rows: wrong.slice(0, mostListed).map(({ actual, predicted, count }) => [
    labels[actual],
    labels[predicted],
    formatCount(count),
  ]),
});

/** A run's confusion matrix, or undefined where its files have none, or one of too many classes to draw. */
export function confusionChart(run: ShownRun): Chart | undefined {
  const found = confusionOf(run);
  if (found === undefined || found.labels.length > mostDrawn) return undefined;
  const { labels, cells, wrong } = found;
  const { name } = run;
  const labelOf = (index: number) => shortened(labels[index], 14);
  const longest = Math.max(...labels.map((_, index) => [...labelOf(index)].length));
  const margin = 16 + 6.3 * longest;
  const numbered = labels.length <= mostNumbered;
  const width = numbered ? chartWidth : Math.ceil(margin + 14 * labels.length + 8);
  const side = Math.min(40, (width - margin - 8) / labels.length);
  const inner = side * labels.length;
  const described = ({ actual, predicted, count }: Cell) =>
    `${formatCount(count)} of ${labels[actual]} taken for ${labels[predicted]}`;
  const domain = labels.map((_, index) => index);
  const fillOpacity = ({ share }: Cell) => 0.12 + 0.88 * share;
  const fill = ({ actual, predicted }: Cell) =>
    actual === predicted ? "var(--accent)" : "var(--wrong)";
  return {
    title: "Confusion matrix",
    hint: "A row for each label, a column for what it was taken for; darker is more of the row.",
    scrolls: !numbered,
    description: wrong.length === 0
      ? `${name} took no sentence for another label.`
      : `Most often wrong: ${wrong.slice(0, 3).map(described).join("; ")}.`,
    plot: {
      width,
      height: margin + inner + 8,
      marginTop: margin,
      marginLeft: margin,
      marginBottom: 8,
      marginRight: width - margin - inner,
      x: {
        domain,
        axis: "top",
        tickRotate: -90,
        tickFormat: labelOf,
        tickSize: 0,
        label: null,
        padding: 0,
      },
      y: { domain, tickFormat: labelOf, tickSize: 0, label: null, padding: 0 },
      marks: [
        Plot.cell(domain, {
          x: (index: number) => index,
          y: (index: number) => index,
          fill: "none",
        }),
        Plot.cell(cells, {
          x: "predicted",
          y: "actual",
          fill,
          fillOpacity,
          inset: 0.5,
          title: described,
        }),
        Plot.text(numbered ? cells : [], {
          x: "predicted",
          y: "actual",
          text: ({ count }: Cell) => formatCount(count),
          fill: ({ share }: Cell) => share > 0.5 ? "var(--surface)" : "currentColor",
          pointerEvents: "none",
        }),
      ],
    },
    data: listOf(wrong, labels),
  };
}
