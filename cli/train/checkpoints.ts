/**
 * The checkpoints of a run on disk: `step-120/` with the run's state, `steps.jsonl` and `run.json` (what a report needs of
 * the run before it was stopped), and the sums of these files. Each appears whole or not at all; the newest few are kept.
 */
import { join } from "node:path";
import * as v from "valibot";
import { counted, messageOf, UserError } from "../../models/errors.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { checkSums, writeFilesWithSums } from "../../models/host/checksums.ts";
import { hostFolder } from "../../models/host/files.ts";
import { WriteError } from "../../models/host/write.ts";
import type { Metrics } from "../../models/training/metrics.ts";
import type { RunIdentity, TrainState } from "../../models/training/state.ts";
import { hasState, readState, stateFiles } from "../../models/training/state_files.ts";
import { type Unfinished, writeFolderWhole } from "../shared/folders.ts";

const historySchema = v.object({
  /** When the run was first started. */
  started: v.pipe(v.string(), v.isoTimestamp()),
  /** Steps at which it was stopped and went on. */
  resumed_at_steps: v.array(v.number()),
  /** Sentences of its starts. */
  warnings: v.array(v.string()),
});

/** What is told of a run besides its state. */
export type RunHistory = v.InferOutput<typeof historySchema>;

/** A run as it was stopped. */
export interface StoppedRun<State = TrainState> {
  state: State;
  history: RunHistory;
  /** Lines of `steps.jsonl`, up to the state's step. */
  steps: string[];
}

const pattern = /^step-(\d+)$/;

/** The steps of a run's whole checkpoints, the newest first. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const steps: number[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const step = pattern.exec(name)?.[1];
      if (step !== undefined && await hasState(hostFolder(join(folder, name)))) {
        steps.push(Number(step));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return steps.sort((a, b) => b - a);
}

const pathOf = (folder: string, step: number) => join(folder, `step-${step}`);

export const isDiskFull = (error: unknown): boolean =>
  error instanceof WriteError && error.kind === "full";

/** Writes something; where the disk is full, once more without the run's older checkpoints. */
export async function writeMakingRoom<Result>(
  folder: string,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!isDiskFull(error) || await keepNewest(folder, 1) === 0) throw error;
    return await write();
  }
}

/**
 * Writes a checkpoint, replacing one of the same step, and then removes all but the newest `keep`; where the disk is
 * full, all but the newest go before.
 */
export async function writeCheckpoint<Identity, Evaluation>(
  folder: string,
  { state, history, steps }: StoppedRun<TrainState<Identity, Evaluation>>,
  { keep, unfinished }: { keep: number; unfinished: Unfinished },
): Promise<void> {
  const files = [
    { name: "steps.jsonl", content: steps.join("") },
    { name: "run.json", content: `${JSON.stringify(history, null, 2)}\n` },
    ...stateFiles(state),
  ];
  const fill = (temporary: string) => writeFilesWithSums(temporary, files);
  await writeMakingRoom(
    folder,
    () => writeFolderWhole(pathOf(folder, state.step), unfinished, fill),
  );
  await keepNewest(folder, keep);
}

/** Removes all but the newest checkpoints of a run; returns how many went. */
async function keepNewest(folder: string, keep: number): Promise<number> {
  const surplus = (await checkpointSteps(folder)).slice(keep);
  for (const step of surplus) await Deno.remove(pathOf(folder, step), { recursive: true });
  return surplus.length;
}

async function readCheckpoint<Identity, Evaluation>(
  path: string,
): Promise<StoppedRun<TrainState<Identity, Evaluation>>> {
  const folder = hostFolder(path);
  await checkSums(folder);
  const history = v.safeParse(historySchema, await readJsonObject(folder, "run.json"));
  if (!history.success) throw new UserError(`${join(path, "run.json")} is damaged.`);
  const state = await readState<Identity, Evaluation>(folder);
  const lines = (await folder.text("steps.jsonl")).split("\n").filter((line) => line !== "");
  if (lines.length !== state.step) {
    throw new UserError(
      `${join(path, "steps.jsonl")} has ${
        counted(lines.length, "step")
      } of the state's ${state.step}.`,
    );
  }
  return { state, history: history.output, steps: lines.map((line) => `${line}\n`) };
}

/** The newest checkpoint of a run that can be read, or undefined; `report` is told of those that cannot. */
export async function newestCheckpoint<Identity = RunIdentity, Evaluation = Metrics>(
  folder: string,
  report: (message: string) => void,
): Promise<StoppedRun<TrainState<Identity, Evaluation>> | undefined> {
  for (const step of await checkpointSteps(folder)) {
    const path = pathOf(folder, step);
    try {
      return await readCheckpoint(path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      report(`The checkpoint ${path} cannot be used: ${messageOf(error)}`);
    }
  }
}
