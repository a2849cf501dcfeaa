/**
 * `deno task evaluate`: measures a trained run on its own data or other, and ends with an exit code:
 * 0 done, 1 failed, 2 wrong use.
 */
import { join } from "node:path";
import { quotedNames, UserError } from "../models/errors.ts";
import { writeFileWhole } from "../models/host/write.ts";
import type { Metrics } from "../models/training/metrics.ts";
import { adviceForEvaluation } from "./shared/advice.ts";
import { type EvaluateFlags, parseEvaluateFlags } from "./evaluate/flags.ts";
import { type EvaluatedRows, evaluatedRows } from "./evaluate/rows.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { giveUp } from "./shared/permissions.ts";
import { formatCount } from "./shared/format.ts";
import { confusionFile, confusionText, standsWithin } from "./trained/confusion.ts";
import { metricsReport, readAs, versions } from "./train/run_report.ts";
import { type Column, renderTable } from "./shared/table.ts";
import { harmless, jsonText, renderNotice, standardOutput } from "./shared/terminal.ts";
import type { ComputeDtype } from "../engine/precision.ts";
import { findRun, type Sizes, sizesOf, type TrainedRun } from "./trained/run.ts";

/** The content of `evaluation.json`; metrics as `run.json` has them. */
function evaluationReport(
  run: TrainedRun,
  { dataset, part, sameData }: EvaluatedRows,
  { maxLength, batchSize, computeDtype }: Sizes & { computeDtype: ComputeDtype },
  metrics: Metrics,
) {
  return {
    run: run.folder.name,
    model: run.model.name,
    dataset: {
      name: dataset.name,
      source: dataset.source,
      sample: dataset.sample,
      text_column: dataset.textColumn,
      label_column: dataset.labelColumn,
      ...readAs(dataset),
      hash: dataset.hash,
      /** Whether these are, row for row, the data of the run's training. */
      as_trained: sameData,
    },
    split: part,
    max_length: maxLength,
    batch_size: batchSize,
    compute_dtype: computeDtype,
    metrics: metricsReport(metrics),
    versions: versions(),
  };
}

const columns: Column[] = [
  { title: "Class", shrinks: true },
  { title: "Precision", right: true },
  { title: "Recall", right: true },
  { title: "F1", right: true },
  { title: "Support", right: true },
];

/** The figures as lines, at most `width` columns wide. */
function evaluationLines(
  run: TrainedRun,
  { dataset, part, sameData }: EvaluatedRows,
  metrics: Metrics,
  width: number,
): string[] {
  const decimals = (value: number) => value.toFixed(4);
  const [low, high] = metrics.accuracyInterval.map(decimals);
  const all = sameData ? "all rows, those of its training included" : "all rows";
  const facts = [
    ["Run", run.folder.name],
    ["Data", `${dataset.name}, ${part === "all" ? all : `${part} part`}`],
    ["Count", formatCount(metrics.count)],
    ["Loss", decimals(metrics.loss)],
    ["Accuracy", `${decimals(metrics.accuracy)} (95 % interval: ${low} to ${high})`],
    ["Macro precision", decimals(metrics.macroPrecision)],
    ["Macro recall", decimals(metrics.macroRecall)],
    ["Macro F1", decimals(metrics.macroF1)],
  ];
  const rows = metrics.perClass.map(({ label, precision, recall, f1, support }) => [
    label,
    decimals(precision),
    decimals(recall),
    decimals(f1),
    formatCount(support),
  ]);
  return [
    ...facts.map(([name, value]) => `${name.padEnd(15)}  ${harmless(value)}`),
    "",
    ...renderTable(columns, rows, width),
  ];
}

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

async function run(flags: EvaluateFlags): Promise<void> {
  if (flags.run === undefined) {
    throw new UserError("Say which run with --run FOLDER. See deno task evaluate --help.", {
      exitCode: 2,
    });
  }
  const hub = hubSettings(stderr);
  const trained = await findRun(flags.run, flags.modelName, hub, flags.labels);
  const sizes = sizesOf(trained, flags);
  const rows = await evaluatedRows(trained, flags, hub);
  giveUp("net");
  const tell = (notice: string) => stderr.write(renderNotice(stderr, notice));
  for (const notice of [...trained.model.notices, ...rows.notices]) tell(notice);
  // Loaded only now, so that --help and mistakes need no engine.
  const { computeDtype = "f32" } = flags;
  const { evaluateExamples } = await import("./trained/predictor.ts");
  const metrics = await evaluateExamples(trained, rows.examples, sizes, {
    computeDtype,
    hear: tell,
  });
  const document = jsonText(evaluationReport(trained, rows, { ...sizes, computeDtype }, metrics));
  const text = flags.json
    ? document
    : evaluationLines(trained, rows, metrics, stdout.columns()).join("\n");
  stdout.write(`${text}\n`);
  const absent = metrics.perClass.filter(({ support }) => support === 0);
  if (absent.length > 0) {
    hub.report?.(
      `No row has ${quotedNames(absent.map(({ label }) => label))}: counted as 0 in the ` +
        `macro averages.`,
    );
  }
  if (flags.noWrite) return;
  const write = (name: string, text: string) =>
    writeFileWhole(join(trained.folder.name, name), text);
  await write("evaluation.json", `${document}\n`);
  if (!standsWithin(metrics)) {
    await write(`evaluation_${confusionFile}`, confusionText(metrics));
  }
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const advice = adviceForEvaluation;
  return runCommand(parseEvaluateFlags(args), "deno task evaluate", run, {
    stdout,
    stderr,
    advice,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
