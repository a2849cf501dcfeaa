/** What the first rank tells the others, so that they do what it does; all run one program of one version. */
import { deserialize, serialize } from "node:v8";
import { memoryFolder } from "../../models/files/folder.ts";
import { piecesOf } from "../../models/files/run_file.ts";
import type { TrainState } from "../../models/training/state.ts";
import { readState, stateFiles } from "../../models/training/state_files.ts";
import type { Flags } from "../train/flags.ts";
import type { Plan } from "../train/plan.ts";
import type { CreateOptions, DeviceHandle, TrainingTools } from "../train/tools.ts";
import type { KeptTuning } from "../train/tuning_cache.ts";
import type { Communicator } from "./communicator.ts";

export type TrainOptions<Device extends DeviceHandle> = Parameters<
  TrainingTools<Device>["train"]
>[0];

/** What a training has of its own, as the ranks share it. */
export type SharedTraining =
  & Pick<
    TrainOptions<DeviceHandle>,
    "run" | "method" | "hyperparameters" | "gradientCheckpointing" | "checkpointSteps"
  >
  /** The kernels' plans that were timed, and the adapter's key for which. */
  & { tuning: KeptTuning & { key: string } };

export type Message =
  /** An experiment: a device, model and data follow on all ranks, see prepare.ts. */
  | { kind: "begin"; flags: Flags; plan: Plan; device: CreateOptions | undefined }
  /** A training: see training.ts. The state to go on from, if any, follows by {@link shareState}. */
  | { kind: "train"; training: SharedTraining; goesOn: boolean }
  | { kind: "end"; exitCode: number };

/** To be called by rank 0 alone; the others wait in {@link receive}. */
export function tell(ranks: Communicator, message: Message): void {
  ranks.broadcast(serialize(message));
}

export const receive = (ranks: Communicator): Message => deserialize(ranks.broadcast());

/** Gives all ranks the state that rank 0 has, piece by piece: it may be larger than one message. */
export async function shareState(ranks: Communicator, state?: TrainState): Promise<TrainState> {
  const files = state && stateFiles(state).map((file) => ({ ...file, pieces: piecesOf(file) }));
  const listed = files?.map(({ name, pieces }) => ({ name, count: pieces.length }));
  const told: { name: string; count: number }[] = deserialize(
    ranks.broadcast(listed && serialize(listed)),
  );
  const received = new Map<string, Blob>();
  for (const [index, { name, count }] of told.entries()) {
    const pieces = Array.from(
      { length: count },
      (_, piece) => ranks.broadcast(files?.[index].pieces[piece]),
    );
    if (!files) received.set(name, new Blob(pieces as BlobPart[]));
  }
  return state ?? await readState(memoryFolder("the state of rank 0", received));
}
