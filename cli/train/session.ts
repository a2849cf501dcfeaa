/** How a training ends early: Ctrl-C and the system's signals. */
import type { CheckpointEvent } from "../../models/training/events.ts";
import { removeIfEmpty, removeUnfinished, type Unfinished } from "../shared/folders.ts";
import { onSignals, type Stop } from "../shared/signals.ts";
import type { Output } from "../shared/terminal.ts";
import { leaveWork, type WorkClaim } from "./work.ts";

/** What exists only as long as the experiment runs; whatever ends it removes it. */
export interface Session {
  unfinished: Unfinished;
  /** The experiment's folder, once it is known; it stays if it holds a finished run or a checkpoint. */
  folder?: string;
  /** The right to write there, and where unfinished work is kept. */
  claim?: WorkClaim;
  /** Whether a run trains: then the first signal lets it finish its step. */
  training: boolean;
  stop?: Stop;
}

export const newSession = (): Session => ({ unfinished: new Set(), training: false });

/** Notes that a run comes to a checkpoint to stop at; where no signal came to this process, one came to another rank. */
export function noteStop(session: Session, { stopRequested }: CheckpointEvent): void {
  if (!stopRequested) return;
  session.stop ??= { signal: "a signal to another rank", exitCode: 143 };
}

/** Leaves nothing half-written behind; synchronous, since the process may be ending. */
export function endSession(session: Session): void {
  const { folder, claim, unfinished } = session;
  removeUnfinished(unfinished);
  if (folder === undefined) return;
  if (claim !== undefined) leaveWork(claim.work, claim);
  session.claim = undefined;
  removeIfEmpty(folder);
}

/**
 * The first signal lets a training run finish its step and write a checkpoint, a second one ends the program at once, as
 * the first does where nothing trains yet.
 */
export function endOnSignals(session: Session, err: Output): void {
  const clear = err.terminal ? "\r\x1b[K" : "";
  onSignals((stop) => {
    if (session.training && session.stop === undefined) {
      session.stop = stop;
      err.write(`${clear}${stop.signal}: finishing the step; once more stops at once.\n`);
      return;
    }
    endSession(session);
    err.write(`${clear}Interrupted (${stop.signal}): finished runs and checkpoints are kept.\n`);
    Deno.exit(stop.exitCode);
  });
}
