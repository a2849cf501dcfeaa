/** A pretraining's events as they come: shown, kept for the card, and its checkpoints written beside the training. */
import { messageOf } from "../../models/errors.ts";
import { stepLine } from "../../models/training/step_line.ts";
import type {
  PretrainEvaluation,
  PretrainEvent,
  PretrainIdentity,
  PretrainResult,
} from "../../models/pretraining/events.ts";
import type { Objective, Score } from "../../models/pretraining/objective.ts";
import type { TrainState } from "../../models/training/state.ts";
import type { Unfinished } from "../shared/folders.ts";
import { countOf, formatCount } from "../shared/format.ts";
import { type Output, paint, renderNotice, wrap } from "../shared/terminal.ts";
import { type RunHistory, type StoppedRun, writeCheckpoint } from "../train/checkpoints.ts";
import { stepDisplay } from "../train/progress.ts";
import type { Session } from "../train/session.ts";

export type StoppedPretraining = StoppedRun<TrainState<PretrainIdentity, PretrainEvaluation>>;

export interface WatchOptions {
  objective: Objective;
  /** What goes on; undefined for a run that begins. */
  stopped: StoppedPretraining | undefined;
  checkpoints: { folder: string; keep: number; unfinished: Unfinished };
  session: Session;
  out: Output;
  err: Output;
}

export interface Watched {
  result: PretrainResult;
  /** Losses of the steps, from the first. */
  losses: number[];
}

/** `cosine of the pooled vector 0.7312, cosine of the mean 0.7402` */
function scoresLine(scores: readonly Score[], told: Record<string, number>): string {
  return scores.map(({ name, label }) => `${label} ${told[name].toFixed(4)}`).join(", ");
}

/** Consumes the events to their end; undefined where the session was to stop, after a checkpoint. */
export async function watch(
  events: AsyncGenerator<PretrainEvent>,
  { objective, stopped, checkpoints, session, out, err }: WatchOptions,
): Promise<Watched | undefined> {
  const display = stepDisplay(out);
  const from = stopped?.state.step ?? 0;
  const steps = [...stopped?.steps ?? []];
  const history: RunHistory = stopped?.history ??
    { started: new Date().toISOString(), resumed_at_steps: [], warnings: [] };
  if (stopped) history.resumed_at_steps.push(from);
  let writing: Promise<void> = Promise.resolve();
  let epochs = 1;

  const write = async (event: Extract<PretrainEvent, { type: "checkpoint" }>) => {
    await writing; // one at a time
    const captured = { state: await event.capture(), history, steps: [...steps] };
    writing = writeCheckpoint(checkpoints.folder, captured, checkpoints).catch((error) => {
      if (session.stop) throw error;
      display.clear();
      const what =
        `The checkpoint of step ${event.step} could not be written, and training goes on:`;
      err.write(renderNotice(err, `${what} ${messageOf(error)}`));
    });
    if (session.stop) await writing;
  };

  try {
    for await (const event of events) {
      switch (event.type) {
        case "start":
          epochs = Math.ceil(event.totalSteps / event.stepsPerEpoch);
          display.begin(event.totalSteps, from);
          display.say(
            `${formatCount(event.parameters)} parameters, ${countOf(event.train, "sentence")}, ` +
              `${formatCount(event.heldOut)} held out, ${countOf(event.totalSteps, "step")}` +
              (from > 0 ? `, going on after step ${formatCount(from)}` : ""),
          );
          for (const warning of event.warnings) {
            for (const line of wrap(`Warning: ${warning}`, 76)) {
              display.say(paint(out, "yellow", line));
            }
          }
          break;
        case "step":
          steps.push(stepLine(event));
          display.step({ ...event, run: objective.name });
          break;
        case "evaluation":
          display.say(
            `  epoch ${event.epoch}/${epochs}  held out: ${
              scoresLine(objective.scores, event.scores)
            }`,
          );
          break;
        case "checkpoint":
          await write(event);
          if (session.stop) return undefined;
          break;
        case "done":
          return { result: event.result, losses: steps.map((line) => JSON.parse(line).loss) };
      }
    }
  } finally {
    display.clear();
    await writing.catch(() => {}); // it is reported, or thrown above
  }
  throw new Error("The pretraining ended without a result.");
}
