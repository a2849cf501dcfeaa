/** The comparison as people and programs read it: table, Markdown, CSV, LaTeX, JSON, and the experiment's page. */
import { join } from "node:path";
import { messageOf } from "../../../models/errors.ts";
import { writeFileWhole } from "../../../models/host/write.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../shared/format.ts";
import { renderLatex } from "../../shared/latex.ts";
import { harmless, type Output, renderNotice } from "../../shared/terminal.ts";
import { type Column, escapeMarkdown, renderMarkdown, renderTable } from "../../shared/table.ts";
import { baselinesOf } from "./baselines.ts";
import { readRuns } from "./compared_run.ts";
import {
  addBaselines,
  addSignificance,
  type ComparedRow,
  compareRuns,
  type Comparison,
  type Spread,
} from "./comparison.ts";

/** The original's columns. */
const columns: Column[] = [
  { title: "Method" },
  { title: "Config", shrinks: true },
  { title: "Accuracy", right: true },
  { title: "F1 Score", right: true },
  { title: "Trainable Params", right: true },
  { title: "Param %", right: true },
  { title: "Training Time", right: true },
];

/** `0.6783`, or `0.678±0.012` over seeds. */
function formatSpread({ mean, deviation }: Spread): string {
  return deviation === undefined ? mean.toFixed(4) : `${mean.toFixed(3)}±${deviation.toFixed(3)}`;
}

const meanOf = (row: ComparedRow, of: (run: ComparedRow["runs"][number]) => number) =>
  row.runs.reduce((sum, run) => sum + of(run), 0) / row.runs.length;

/** Columns whose best value is marked, and whether the highest is best. */
const marked = { 2: true, 3: true, 4: false, 6: false } as const;

function cellsOf(comparison: Comparison): string[][] {
  const { rows, baselines } = comparison;
  const values = rows.map((row) => ({
    2: row.accuracy.mean,
    3: row.macroF1.mean,
    4: row.runs[0].trainable_params,
    6: meanOf(row, (run) => run.training_seconds),
  }));
  const isBest = (index: number, column: keyof typeof marked) => {
    const all = values.map((value) => value[column]);
    const best = marked[column] ? Math.max(...all) : Math.min(...all);
    return rows.length > 1 && values[index][column] === best;
  };
  const mark = (text: string, index: number, column: keyof typeof marked) =>
    `${text}${isBest(index, column) ? "*" : " "}`;
  const methods = rows.map((row, index) => [
    row.label,
    row.config,
    mark(formatSpread(row.accuracy), index, 2),
    mark(formatSpread(row.macroF1), index, 3),
    mark(formatCount(row.runs[0].trainable_params), index, 4),
    formatPercent(row.runs[0].param_percent),
    mark(formatDuration(values[index][6]), index, 6),
  ]);
  return [
    ...methods,
    ...baselines.map((baseline) => [
      baseline.label,
      baseline.config,
      `${baseline.accuracy.toFixed(4)} `,
      `${baseline.macro_f1.toFixed(4)} `,
      `${formatCount(baseline.trainable_params)} `,
      "",
      baseline.trainable_params === 0 ? "" : `${formatDuration(baseline.training_seconds)} `,
    ]),
  ];
}

/** The remarks under the table. */
export function comparisonRemarks(comparison: Comparison): string[] {
  const { rows, notices, notes, leftOut } = comparison;
  return [
    ...notices,
    ...(rows.length > 1 ? ["* the best of its column."] : []),
    ...notes,
    ...leftOut.map(({ run, reason }) => `Not compared: ${run} (${reason}).`),
  ];
}

/** The table for a terminal of `width` columns, without the remarks. */
export function comparisonTable(comparison: Comparison, width: number): string[] {
  return renderTable(columns, cellsOf(comparison), width);
}

function csvCell(text: string): string {
  const shown = harmless(text);
  return /[",]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

/** Numbers in full, means over seeds: percent without its sign, training time in seconds. */
function comparisonCsv({ rows, baselines }: Comparison): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => [
      row.label,
      row.config,
      row.accuracy.mean,
      row.macroF1.mean,
      row.runs[0].trainable_params,
      row.runs[0].param_percent,
      meanOf(row, (run) => run.training_seconds),
    ]),
    ...baselines.map((baseline) => [
      baseline.label,
      baseline.config,
      baseline.accuracy,
      baseline.macro_f1,
      baseline.trainable_params,
      "",
      baseline.training_seconds,
    ]),
  ];
  return cells.map((row) => `${row.map((cell) => csvCell(String(cell))).join(",")}\n`).join("");
}

const efficiencyColumns: Column[] = [
  { title: "Method" },
  { title: "Config" },
  { title: "Tokens a second", right: true },
  { title: "Peak GPU memory", right: true },
  { title: "Optimiser memory", right: true },
  { title: "To ship", right: true },
  { title: "1,000 predictions", right: true },
  { title: "Accuracy per million", right: true },
  { title: "F1 per million", right: true },
];

function efficiencyCells({ rows }: Comparison): string[][] {
  return rows.map((row) => {
    const [run] = row.runs;
    const mean = (of: (run: ComparedRow["runs"][number]) => number | undefined) =>
      meanOf(row, (run) => of(run) ?? NaN);
    const seconds = mean((run) => run.seconds_per_thousand_predictions);
    return [
      row.label,
      row.config,
      formatCount(mean((run) => run.tokens_per_second)),
      formatBytes(mean((run) => run.peak_gpu_bytes)),
      formatBytes(8 * run.trainable_params),
      formatBytes(run.exported_bytes),
      Number.isNaN(seconds) ? "" : `${seconds.toFixed(2)} s`,
      (row.accuracy.mean / run.trainable_params * 1e6).toFixed(2),
      (row.macroF1.mean / run.trainable_params * 1e6).toFixed(2),
    ];
  });
}

const caption =
  "F1 Score is the macro average on the test part; Training Time is without evaluation.";

function comparisonMarkdown(comparison: Comparison): string {
  const cells = (rows: string[][]) => rows.map((row) => row.map(escapeMarkdown));
  const remarks = comparisonRemarks(comparison).map((remark) =>
    `> ${escapeMarkdown(remark).replace(/^\*/, "\\*")}`
  );
  const lines = [
    `# ${escapeMarkdown(`${comparison.model} on ${comparison.dataset}`)}`,
    "",
    ...renderMarkdown(columns, cells(cellsOf(comparison))),
    "",
    caption,
    ...remarks.flatMap((remark) => ["", remark]),
    "",
    "## What it costs",
    "",
    ...renderMarkdown(efficiencyColumns, cells(efficiencyCells(comparison))),
  ];
  return `${lines.join("\n")}\n`;
}

function comparisonLatex(comparison: Comparison): string {
  const lines = renderLatex(columns, cellsOf(comparison), {
    caption: `${comparison.model} on ${comparison.dataset}. ${caption}`,
    notes: comparisonRemarks(comparison),
  });
  return `${lines.join("\n")}\n`;
}

/** The content of `comparison.json`: rows under the table's names in snake_case, numbers in full. */
export function comparisonReport(comparison: Comparison) {
  return {
    model: comparison.model,
    dataset: comparison.dataset,
    notices: comparison.notices,
    notes: comparison.notes,
    rows: comparison.rows.map((row) => {
      const [run] = row.runs;
      return {
        run: row.name,
        runs: row.runs.map(({ run }) => run),
        seeds: row.runs.map(({ hyperparameters }) => hyperparameters.seed ?? null),
        method: row.label,
        config: row.config,
        accuracy: row.accuracy.mean,
        accuracy_deviation: row.accuracy.deviation ?? null,
        accuracy_interval_95: row.accuracyInterval,
        f1_score: row.macroF1.mean,
        f1_score_deviation: row.macroF1.deviation ?? null,
        f1_score_interval_95: row.macroF1Interval ?? null,
        trainable_params: run.trainable_params,
        param_percent: run.param_percent,
        training_time: meanOf(row, (run) => run.training_seconds),
        learning_rate: run.hyperparameters.learning_rate,
        trainable_bytes: run.trainable_bytes,
        optimizer_bytes: 8 * run.trainable_params,
        exported_bytes: run.exported_bytes,
        tokens_per_second: run.tokens_per_second ?? null,
        peak_gpu_bytes: run.peak_gpu_bytes ?? null,
        seconds_per_thousand_predictions: run.seconds_per_thousand_predictions ?? null,
        accuracy_per_million: row.accuracy.mean / run.trainable_params * 1e6,
        macro_f1_per_million: row.macroF1.mean / run.trainable_params * 1e6,
      };
    }),
    baselines: comparison.baselines,
    pairs: comparison.pairs.map((pair) => ({
      first: pair.first,
      second: pair.second,
      accuracy_difference: pair.accuracy,
      f1_score_difference: pair.macroF1,
      f1_score_difference_interval_95: pair.macroF1Interval,
      mcnemar_p: pair.mcnemar,
      told_apart: pair.toldApart,
    })),
    left_out: comparison.leftOut,
  };
}

/** Reads an experiment's runs and compares those that can stand beside run `name`. */
async function readComparison(folder: string, name: string): Promise<Comparison> {
  const { runs, unreadable } = await readRuns(folder);
  const reference = runs.find((run) => run.run === name);
  if (reference === undefined) throw new Error(`${folder} has no readable run ${name}.`);
  const comparison = compareRuns(reference, runs);
  comparison.leftOut.push(...unreadable);
  addBaselines(comparison, await baselinesOf(folder, reference));
  await addSignificance(comparison);
  return comparison;
}

/** Writes the files of the comparison that contains run `name`; returns the comparison. */
export async function writeComparison(folder: string, name: string): Promise<Comparison> {
  const comparison = await readComparison(folder, name);
  const json = `${JSON.stringify(comparisonReport(comparison), null, 2)}\n`;
  await writeFileWhole(join(folder, "comparison.json"), json);
  await writeFileWhole(join(folder, "comparison.csv"), comparisonCsv(comparison));
  await writeFileWhole(join(folder, "comparison.md"), comparisonMarkdown(comparison));
  await writeFileWhole(join(folder, "comparison.tex"), comparisonLatex(comparison));
  return comparison;
}

/** Writes `comparison.html`, the page of the runs that are finished; what hinders it is told. */
export async function writePage(folder: string, err: Output): Promise<void> {
  try {
    // Loaded only now: what draws the charts takes its time.
    const { writeReport } = await import("../../report/write.ts");
    await writeReport([folder], join(folder, "comparison.html"));
  } catch (error) {
    const what = "The runs are saved, but comparison.html could not be written:";
    err.write(renderNotice(err, `${what} ${messageOf(error)} See deno task report.`));
  }
}
