/** The runs of a comparison in one table, and which colour is whose. */
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from "../../shared/format.ts";
import type { Look } from "../colours.ts";
import { type Html, markup } from "../html.ts";
import { shortened } from "../figure.ts";
import type { Comparison, ShownRun } from "../model.ts";
import { type SortableCell, type SortableColumn, sortableTable } from "../tables.ts";
import type { Standing } from "../verdict.ts";

const badges: Record<Standing, Html | ""> = {
  best: markup`<span class="badge best">best</span>`,
  "not told apart": markup`<span class="badge">not told apart</span>`,
  lower: "",
};

interface Column extends SortableColumn {
  cell(run: ShownRun, standing: Standing): SortableCell;
}

const decimals = (value: number) => value.toFixed(4);
const known = (by: number | undefined, format: (value: number) => string): SortableCell => ({
  by,
  content: by === undefined ? markup`<span class="none">–</span>` : format(by),
});
const withInterval = (value: number, interval: readonly [number, number] | undefined) => ({
  by: value,
  content: markup`${decimals(value)}${
    interval && markup`
      <small>${decimals(interval[0])}–${decimals(interval[1])}</small>
    `
  }`,
});

const columns: Column[] = [
  {
    title: "Run",
    cell: ({ name }, standing) => ({ by: name, content: markup`${name} ${badges[standing]}` }),
  },
  {
    title: "Accuracy",
    about: "On the test part, with its 95 % interval",
    right: true,
    cell: ({ fields: { test } }) => withInterval(test.accuracy, test.accuracy_interval_95),
  },
  {
    title: "Macro F1",
    about: "On the test part, with its 95 % interval",
    right: true,
    cell: (run) => withInterval(run.fields.test.macro_f1, run.macroF1Interval),
  },
  {
    title: "Trainable",
    about: "Trainable parameters, and their share of all",
    right: true,
    cell: ({ fields: { trainable_params, param_percent } }) => ({
      by: trainable_params,
      content: markup`${formatCount(trainable_params)}${
        param_percent !== undefined && markup`
          <small>${formatPercent(param_percent)}</small>
        `
      }`,
    }),
  },
  {
    title: "Time",
    about: "Training time, without evaluation",
    right: true,
    cell: ({ fields }) => known(fields.training_seconds, formatDuration),
  },
  {
    title: "Memory",
    about: "The most GPU memory that was held at once",
    right: true,
    cell: ({ fields }) => known(fields.peak_gpu_bytes, formatBytes),
  },
  {
    title: "Size",
    about: "The files of the trained weights",
    right: true,
    cell: ({ fields }) => known(fields.exported_bytes, formatBytes),
  },
  {
    title: "Rate",
    about: "The learning rate",
    right: true,
    cell: ({ fields: { hyperparameters } }) => {
      const rate = hyperparameters.learning_rate;
      return known(typeof rate === "number" ? rate : undefined, formatRate);
    },
  },
  {
    title: "Best step",
    about: "The step whose weights were tested, of all steps",
    right: true,
    cell: ({ fields: { best_step, total_steps } }) =>
      known(
        best_step,
        (step) => `${formatCount(step)}${total_steps ? ` of ${formatCount(total_steps)}` : ""}`,
      ),
  },
];

export function runsTable({ title, runs, methods, verdict }: Comparison): Html {
  const caption =
    markup`Small figures are 95 % intervals and shares. Press a column’s name to sort.`;
  const standings = new Map(
    methods.flatMap((method, place) => method.runs.map((run) => [run, verdict.standings[place]])),
  );
  const rows = runs.map((run, index) => {
    const standing = standings.get(index)!;
    return {
      attributes: standing === "best"
        ? markup`
          class="best"
        `
        : undefined,
      cells: columns.map(({ cell }) => cell(run, standing)),
    };
  });
  return sortableTable(caption, `Runs: ${title}`, columns, rows);
}

/** A button for each run, which brings it out in all charts of the comparison. */
export function legend({ runs }: Comparison, looks: readonly Look[]): Html {
  const keys = runs.map((run, index) => {
    const { colour, dash, className } = looks[index];
    return markup`
      <button type="button" aria-pressed="false"
        data-run="${className}"><svg width="26" height="12" aria-hidden="true"><line x1="1" x2="25" y1="6" y2="6" stroke="${colour}" stroke-width="3"${
      dash !==
        undefined && markup`
          stroke-dasharray="${dash}"
        `
    }/>${shape(looks[index])}</svg>${shortened(run.name, 60)}</button>
    `;
  });
  return markup`<div class="legend" role="group" aria-label="Show one run in the charts">${keys}</div>`;
}

/** The run's symbol, drawn by hand: Plot draws none outside of charts. */
function shape({ symbol, colour }: Look): Html {
  if (symbol === "circle") {
    return markup`
      <circle cx="13" cy="6" r="4" fill="${colour}" />
    `;
  }
  const paths = {
    square: "M9.5 2.5h7v7h-7z",
    diamond2: "M13 1l5 5-5 5-5-5z",
    triangle: "M13 1.5l4.5 8h-9z",
    star: "M13 0.5l1.4 4h4.2l-3.4 2.5 1.3 4-3.5-2.5-3.5 2.5 1.3-4-3.4-2.5h4.2z",
  };
  return markup`
    <path d="${paths[symbol]}" fill="${colour}" />
  `;
}
