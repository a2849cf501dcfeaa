/** What the runs were trained on: labels, and how long the texts are. */
import * as Plot from "@observablehq/plot";
import { formatCount } from "../../shared/format.ts";
import { type Chart, formatTick, shortened } from "../figure.ts";
import type { ShownRun } from "../model.ts";

const parts = ["train", "validation", "test"] as const;
const strengths = { train: 1, validation: 0.6, test: 0.3 };

type Dataset = ShownRun["fields"]["dataset"];

function labelChart({ label_counts: counts }: Dataset): Chart {
  const bars = counts.flatMap((row) =>
    parts.map((part) => ({ label: row.label, part, rows: row[part] }))
  );
  const labelOf = (label: string) => shortened(label, 18);
  const longest = Math.max(...counts.map(({ label }) => [...labelOf(label)].length));
  const total = ({ train, validation, test }: Dataset["label_counts"][number]) =>
    train + validation + test;
  const sorted = counts.toSorted((a, b) => total(b) - total(a));
  return {
    title: "Labels",
    hint: "Rows of each label: training, validation (lighter) and test (lightest).",
    description: `${counts.length} labels, from ${sorted[0].label} with ${
      formatCount(total(sorted[0]))
    } rows to ${sorted[sorted.length - 1].label} with ${
      formatCount(total(sorted[sorted.length - 1]))
    }.`,
    plot: {
      height: 44 + 18 * counts.length,
      marginLeft: 12 + 6.8 * longest,
      marginBottom: 36,
      marginTop: 4,
      x: { label: "rows", labelAnchor: "right", ticks: 4, tickFormat: formatTick, grid: true },
      y: {
        domain: sorted.map(({ label }) => label),
        tickFormat: labelOf,
        tickSize: 0,
        label: null,
      },
      marks: [
        Plot.barX(bars, {
          x: "rows",
          y: "label",
          fill: "var(--accent)",
          fillOpacity: ({ part }: typeof bars[number]) => strengths[part],
          order: parts.map((part) => strengths[part]),
          z: "part",
          insetTop: 2,
          insetBottom: 2,
          title: ({ label, part, rows }: typeof bars[number]) =>
            `${label}, ${part}: ${formatCount(rows)}`,
        }),
      ],
    },
    data: {
      columns: [
        { title: "Label" },
        { title: "Training", right: true },
        { title: "Validation", right: true },
        { title: "Test", right: true },
      ],
      rows: sorted.map((row) => [row.label, ...parts.map((part) => formatCount(row[part]))]),
    },
  };
}

function lengthChart({ median, percentile_95, longest, histogram }: NonNullable<Dataset["words"]>) {
  const last = histogram.findLastIndex(({ rows }) => rows > 0);
  const bins = histogram.slice(0, last + 1).map(({ at_most, rows }, index) => {
    const from = (histogram[index - 1]?.at_most ?? 0) + 1;
    const name = at_most === null
      ? `${from}+`
      : from === at_most
      ? `${from}`
      : `${from}–${at_most}`;
    return { name, rows };
  });
  const chart: Chart = {
    title: "Words a text",
    hint: `Half of the texts have up to ${formatCount(median)}, 95\u00a0% up to ${
      formatCount(percentile_95)
    }, the longest ${formatCount(longest)}.`,
    description: `How many texts have how many words: ${
      bins.map(({ name, rows }) => `${name} words ${formatCount(rows)}`).join(", ")
    }.`,
    plot: {
      height: 220,
      marginLeft: 44,
      marginBottom: bins.length > 7 ? 64 : 40,
      marginTop: 12,
      x: {
        domain: bins.map(({ name }) => name),
        tickRotate: bins.length > 7 ? -45 : 0,
        tickSize: 0,
        label: "words",
        labelAnchor: "right",
      },
      y: { grid: true, label: null, ticks: 5, tickFormat: formatTick },
      marks: [
        Plot.barY(bins, {
          x: "name",
          y: "rows",
          fill: "var(--accent)",
          title: ({ name, rows }: typeof bins[number]) => `${name} words: ${formatCount(rows)}`,
        }),
      ],
    },
    data: {
      columns: [{ title: "Words" }, { title: "Texts", right: true }],
      rows: bins.map(({ name, rows }) => [name, formatCount(rows)]),
    },
  };
  return chart;
}

/** Label counts and lengths, as far as the runs' files tell them. */
export function dataCharts({ fields: { dataset } }: ShownRun): Chart[] {
  const { label_counts: counts, words } = dataset;
  return [
    ...(counts.length > 0 ? [labelChart(dataset)] : []),
    ...(words?.histogram.some(({ rows }) => rows > 0) ? [lengthChart(words)] : []),
  ];
}
