/** A run's events as they come: shown, kept for the files, and its checkpoints written beside the training. */
import { messageOf } from "../../models/errors.ts";
import { stepLine } from "../../models/training/step_line.ts";
import type {
  CheckpointEvent,
  TrainingEvent,
  TrainingResult,
} from "../../models/training/events.ts";
import type { Unfinished } from "../shared/folders.ts";
import type { Stop } from "../shared/signals.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import type { Place } from "./place.ts";
import { type RunHistory, type StoppedRun, writeCheckpoint } from "./checkpoints.ts";
import type { PlannedRun } from "./plan.ts";
import { createProgress } from "./progress.ts";
import { noteStop, type Session } from "./session.ts";

/** Where a run was left because the user or the system wished it. */
export class StoppedError extends Error {
  /** `where` says what is kept, as a sentence without its full stop. */
  constructor(readonly stop: Stop, readonly experiment: string, readonly where: string) {
    super(`${stop.signal}: ${where}.`);
    this.name = "StoppedError";
  }
}

export interface WatchOptions {
  /** The experiment's folder. */
  experiment: string;
  planned: PlannedRun;
  /** Such as `2 of 7`. */
  place: Place;
  /** What goes on; undefined for a run that begins. */
  stopped: StoppedRun | undefined;
  checkpoints: { folder: string; keep: number; unfinished: Unfinished };
  session: Session;
  out: Output;
  err: Output;
}

export interface Watched {
  result: TrainingResult;
  history: RunHistory;
  /** Lines of `steps.jsonl`. */
  steps: string[];
}

/** Consumes a run's events to its end. Throws a {@link StoppedError} where the session was to stop, after a checkpoint. */
export async function watch(
  events: AsyncGenerator<TrainingEvent>,
  { experiment, planned, place, stopped, checkpoints, session, out, err }: WatchOptions,
): Promise<Watched> {
  const bySteps = planned.hyperparameters.evalSteps !== undefined;
  const progress = createProgress(out, { place, bySteps, from: stopped?.state.step });
  const steps = [...stopped?.steps ?? []];
  const history = historyOf(stopped);
  let writing: Promise<void> = Promise.resolve();

  const write = async (event: CheckpointEvent) => {
    await writing; // one at a time: memory holds one state beside the one that trains
    const state = await event.capture();
    noteStop(session, event);
    const { stop } = session;
    const captured = { state, history: structuredClone(history), steps: [...steps] };
    writing = writeCheckpoint(checkpoints.folder, captured, checkpoints).catch((error) => {
      if (stop) throw error;
      progress.clear();
      const what =
        `The checkpoint of step ${event.step} could not be written, and training goes on:`;
      err.write(renderNotice(err, `${what} ${messageOf(error)}`));
    });
    if (!stop) return;
    await writing;
    throw new StoppedError(stop, experiment, `${planned.name} is kept as of step ${event.step}`);
  };

  try {
    for await (const event of events) {
      progress.show(event);
      if (event.type === "start") {
        history.warnings = [...new Set([...history.warnings, ...event.warnings])];
      }
      if (event.type === "step") steps.push(stepLine(event));
      if (event.type === "checkpoint") await write(event);
      if (event.type === "done") return { result: event.result, history, steps };
    }
  } finally {
    progress.clear();
    await writing.catch(() => {}); // it is reported, or thrown above
  }
  throw new Error(`The training of ${planned.name} ended without a result.`);
}

function historyOf(stopped: StoppedRun | undefined): RunHistory {
  if (stopped === undefined) {
    return { started: new Date().toISOString(), resumed_at_steps: [], warnings: [] };
  }
  const { history, state } = stopped;
  return { ...history, resumed_at_steps: [...history.resumed_at_steps, state.step] };
}
