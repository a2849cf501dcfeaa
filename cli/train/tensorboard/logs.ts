/** `logs/<run>/`: a run's curves for TensorBoard. */
import { join } from "node:path";
import * as v from "valibot";
import { writeFileWhole } from "../../../models/host/write.ts";
import { type Unfinished, writeFolderWhole } from "../../shared/folders.ts";
import type { RunReport } from "../run_report.ts";
import { eventFile, type ScalarEvent } from "./event_file.ts";

/** The folder of all logs, in an experiment's. */
export const logsName = "logs";

/** What is shown of a line of `steps.jsonl`. */
const stepSchema = v.object({
  step: v.number(),
  loss: v.number(),
  gradient_norm: v.number(),
  learning_rate: v.number(),
  tokens: v.number(),
  tokens_per_second: v.number(),
});

/** What is shown of a `run.json`. */
export type LoggedRun = Pick<
  RunReport,
  "started" | "validation" | "validation_steps" | "test" | "best_step"
>;

function scoresOf(part: string, metrics: RunReport["test"]): Record<string, number> {
  const { loss, accuracy, macro_precision, macro_recall, macro_f1 } = metrics;
  const scores = { loss, accuracy, macro_precision, macro_recall, macro_f1 };
  return Object.fromEntries(
    Object.entries(scores).map(([name, value]) => [
      `${part}/${name}`,
      value,
    ]),
  );
}

/**
 * A run's events, from its report and the lines of `steps.jsonl`. A step's time follows from the run's start and the tokens
 * a second until then: pauses and evaluations take none.
 */
export function runEvents(report: LoggedRun, lines: readonly string[]): ScalarEvent[] {
  const begun = Date.parse(report.started) / 1000;
  const times = new Map<number, number>([[0, begun]]);
  let tokens = 0;
  const events = lines.map((line): ScalarEvent => {
    const step = v.parse(stepSchema, JSON.parse(line));
    tokens += step.tokens;
    const wallTime = begun + (step.tokens_per_second > 0 ? tokens / step.tokens_per_second : 0);
    times.set(step.step, wallTime);
    return {
      wallTime,
      step: step.step,
      scalars: {
        "train/loss": step.loss,
        "train/learning_rate": step.learning_rate,
        "train/gradient_norm": step.gradient_norm,
        "train/tokens_per_second": step.tokens_per_second,
      },
    };
  });
  const at = (step: number, scalars: Record<string, number>) =>
    events.push({ wallTime: times.get(step) ?? begun, step, scalars });
  report.validation.forEach((metrics, index) =>
    at(report.validation_steps[index], scoresOf("validation", metrics))
  );
  at(report.best_step, scoresOf("test", report.test));
  return events.sort((a, b) => a.step - b.step);
}

/** Writes `logs/<run>/` in an experiment's folder, whole or not at all; an older one is replaced. */
export async function writeLogs(
  experiment: string,
  report: RunReport,
  lines: readonly string[],
  unfinished: Unfinished,
): Promise<void> {
  const begun = Date.parse(report.started) / 1000;
  // TensorBoard takes a file for one of events by these words in its name.
  const name = `events.out.tfevents.${Math.floor(begun)}.${report.run}`;
  await writeFolderWhole(join(experiment, logsName, report.run), unfinished, async (temporary) => {
    const file = join(temporary, name);
    await writeFileWhole(file, eventFile(begun, runEvents(report, lines)));
  });
}
