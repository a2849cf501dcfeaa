/**
 * `deno task predict`: labels texts with a trained run, and ends with an exit code: 0 done, 1 failed,
 * 2 wrong use.
 */
import { UserError } from "../models/errors.ts";
import { hubSettingsFromEnvironment } from "../models/host/settings.ts";
import { adviceForPrediction } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { parsePredictFlags, type PredictFlags } from "./predict/flags.ts";
import { readTexts } from "./predict/texts.ts";
import { type Column, renderTable } from "./shared/table.ts";
import { renderNotice, standardOutput } from "./shared/terminal.ts";
import { findRun, sizesOf } from "./trained/run.ts";

/** A text and its labels, the best first. */
export interface Prediction {
  text: string;
  ranked: { label: string; probability: number }[];
}

/** The labels of a text by their probabilities, the best first; equal ones in the classifier's order. */
export function rank(
  text: string,
  labels: readonly string[],
  probabilities: Float64Array,
): Prediction {
  const ranked = labels.map((label, id) => ({ label, probability: probabilities[id] }));
  return { text, ranked: ranked.sort((a, b) => b.probability - a.probability) };
}

const columns: Column[] = [
  { title: "Text", shrinks: true },
  { title: "Label" },
  { title: "Probability", right: true },
];

/** A table with the best labels of each text, at most `width` columns wide. */
export function predictionTable(
  predictions: readonly Prediction[],
  topK: number,
  width: number,
): string[] {
  const rows = predictions.flatMap(({ text, ranked }) =>
    ranked.slice(0, topK).map(({ label, probability }, place) => [
      place === 0 ? text.replace(/\s+/g, " ") : "",
      label,
      probability.toFixed(4),
    ])
  );
  return renderTable(columns, rows, width);
}

/** One line of JSON. */
export function predictionLine({ text, ranked }: Prediction, topK = ranked.length): string {
  const best = ranked.slice(0, topK).map(({ label, probability }) => [label, probability]);
  return JSON.stringify({ text, ...ranked[0], probabilities: Object.fromEntries(best) });
}

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

async function run(flags: PredictFlags): Promise<void> {
  if (flags.run === undefined) {
    throw new UserError("Say which run with --run FOLDER. See deno task predict --help.", {
      exitCode: 2,
    });
  }
  const { texts, notices } = await readTexts(flags, Deno.stdin);
  for (const notice of notices) stderr.write(`${notice}\n`);
  const report = (message: string) => stderr.write(`${message}\n`);
  const hub = { ...hubSettingsFromEnvironment(), report };
  const trained = await findRun(flags.run, flags.modelName, hub, flags.labels);
  for (const notice of trained.model.notices) stderr.write(renderNotice(stderr, notice));
  const sizes = sizesOf(trained, flags);
  // Loaded only now, so that --help and mistakes need no engine.
  const { predictTexts } = await import("./trained/predictor.ts");
  const probabilities = await predictTexts(trained, texts, sizes);
  const predictions = texts.map((text, row) => rank(text, trained.labels, probabilities[row]));
  const { topK } = flags;
  const lines = flags.json
    ? predictions.map((prediction) => predictionLine(prediction, topK))
    : predictionTable(predictions, topK ?? 1, stdout.columns());
  stdout.write(`${lines.join("\n")}\n`);
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const advice = adviceForPrediction;
  return runCommand(parsePredictFlags(args), "deno task predict", run, { stdout, stderr, advice });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
