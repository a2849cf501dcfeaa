/**
 * `deno task predict`: labels texts with trained runs, and ends with an exit code: 0 done, 1 failed,
 * 2 wrong use, 130 interrupted.
 */
import { UserError } from "../models/errors.ts";
import { adviceForPrediction } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { parsePredictFlags, type PredictFlags } from "./predict/flags.ts";
import { answerLines, answerRows, terminalLines } from "./predict/prompt.ts";
import {
  agree,
  type Comparison,
  comparisonTable,
  predictionLine,
  predictionTable,
  rank,
  timingLines,
} from "./predict/report.ts";
import { checkSources, commonBatch, inPieces, openTexts, type Texts } from "./predict/texts.ts";
import { formatCount } from "./shared/format.ts";
import { giveUp } from "./shared/permissions.ts";
import { renderNotice, standardOutput } from "./shared/terminal.ts";
import type { Labeller } from "./trained/labeller.ts";
import { findRuns, type NamedRun } from "./trained/runs.ts";

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

/** What the runs say of texts. */
async function compare(
  labeller: Labeller,
  runs: readonly NamedRun[],
  texts: readonly string[],
): Promise<Comparison[]> {
  const probabilities = await labeller.label(texts);
  return texts.map((text, row) => ({
    text,
    rankings: runs.map(({ run }, place) => rank(run.labels, probabilities[place][row])),
  }));
}

/** A line of JSON of each run, which is named where it is not alone. */
function jsonLines(
  runs: readonly NamedRun[],
  { text, rankings }: Comparison,
  topK?: number,
): string {
  return rankings.map((ranked, place) => {
    const name = runs.length > 1 ? runs[place].name : undefined;
    return `${predictionLine({ text, ranked }, topK, name)}\n`;
  }).join("");
}

/** Labels all texts: lines of JSON as they are known, or a table when all are. */
async function labelAll(
  labeller: Labeller,
  runs: readonly NamedRun[],
  { arrivals }: Texts,
  { json, topK }: PredictFlags,
): Promise<void> {
  const names = runs.map(({ name }) => name);
  const kept: Comparison[] = [];
  const counts = { texts: 0, agreed: 0 };
  const batch = commonBatch(runs.map(({ sizes }) => sizes.batchSize));
  for await (const texts of inPieces(arrivals, batch)) {
    const comparisons = await compare(labeller, runs, texts);
    counts.texts += texts.length;
    counts.agreed += comparisons.filter(agree).length;
    if (!json) kept.push(...comparisons);
    else stdout.write(comparisons.map((each) => jsonLines(runs, each, topK)).join(""));
    if (stdout.closed?.()) return;
  }
  if (!json) {
    const predictions = kept.map(({ text, rankings: [ranked] }) => ({ text, ranked }));
    const lines = runs.length > 1
      ? comparisonTable(names, kept, topK ?? 1, stdout.columns())
      : predictionTable(predictions, topK ?? 1, stdout.columns());
    stdout.write(`${lines.join("\n")}\n`);
  }
  if (runs.length > 1) {
    const { texts, agreed } = counts;
    stderr.write(
      `${runs.length} runs give ${formatCount(agreed)} of ${formatCount(texts)} texts one label.\n`,
    );
  }
}

/** Labels what is typed, line after line. */
async function answerTyped(
  labeller: Labeller,
  runs: readonly NamedRun[],
  { json, topK }: PredictFlags,
): Promise<void> {
  const names = runs.map(({ name }) => name);
  stderr.write(
    `Each line is labelled by ${names.join(", ")}. An empty line or Ctrl-D ends.\n`,
  );
  await answerLines(terminalLines(() => Deno.exit(130)), async (text) => {
    const [comparison] = await compare(labeller, runs, [text]);
    const answer = json
      ? jsonLines(runs, comparison, topK)
      : answerRows(names, comparison.rankings, topK ?? 3, stdout.columns())
        .map((line) => `${line}\n`).join("");
    stdout.write(answer);
  });
}

async function run(flags: PredictFlags): Promise<void> {
  if (flags.run.length === 0) {
    throw new UserError("Say which run with --run FOLDER. See deno task predict --help.", {
      exitCode: 2,
    });
  }
  checkSources(flags);
  const typed = flags.texts.length === 0 && flags.file === undefined && Deno.stdin.isTerminal();
  const texts = typed ? undefined : await openTexts(flags, Deno.stdin);
  for (const notice of texts?.notices ?? []) stderr.write(`${notice}\n`);
  const hub = hubSettings(stderr);
  const runs = await findRuns(flags.run, flags.modelName, flags, hub);
  giveUp("net", "write");
  const tell = (notice: string) => stderr.write(renderNotice(stderr, notice));
  for (const notice of new Set(runs.flatMap(({ run }) => run.model.notices))) tell(notice);
  // Between two writes, so that what was written is whole lines.
  Deno.addSignalListener("SIGINT", () => Deno.exit(130));
  // Loaded only now, so that --help and mistakes need no engine.
  const { openLabeller } = await import("./trained/labeller.ts");
  const labeller = await openLabeller(runs, flags.computeDtype);
  for (const notice of labeller.notices) tell(notice);
  try {
    if (texts) await labelAll(labeller, runs, texts, flags);
    else await answerTyped(labeller, runs, flags);
    const lines = runs.length > 1 ? timingLines(labeller.timings) : [];
    for (const line of lines) stderr.write(`${line}\n`);
  } finally {
    labeller.close();
  }
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const advice = adviceForPrediction;
  return runCommand(parsePredictFlags(args), "deno task predict", run, { stdout, stderr, advice });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
