/**
 * What an experiment has still to do: in its folder `checkpoints` lie the command that began it (`command.json`) and the
 * checkpoints of its runs. It is there while a program trains, stays where that is stopped, and goes with the last run.
 */
import { join } from "node:path";
import * as v from "valibot";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { mend } from "../shared/folders.ts";
import { issueOf } from "../shared/issues.ts";
import { checkpointSteps } from "./checkpoints.ts";
import { logsName } from "./tensorboard/logs.ts";
import { type Claim, claim } from "./claim.ts";
import { Kept, type KeptTuning } from "./tuning_cache.ts";

const schema = v.object({
  /** The arguments of `deno task train`. */
  command: v.array(v.string()),
  /** Names of the runs, in their order, and of those that are finished. */
  runs: v.array(v.string()),
  done: v.array(v.string()),
  /** What the results depend on beside the command: were it another now, the runs would not go on, but begin mixed. */
  model: v.object({
    name: v.string(),
    /** Its fingerprint. */
    weights: v.optional(v.string()),
    /** Older versions' `mini` started at random: over today's such an experiment cannot go on. */
    random_start: v.optional(v.literal(false)),
  }),
  dataset_hash: v.string(),
  class_weights: v.optional(v.union([v.literal("balanced"), v.record(v.string(), v.number())])),
  /** The kernels' plans, on which the last bits depend, and the adapter that they are for. */
  tuning: v.object({ key: v.string(), ...Kept.entries }),
});

/** The content of `command.json`. */
export type Work = Omit<v.InferOutput<typeof schema>, "tuning"> & {
  tuning: KeptTuning & { key: string };
};

/** A claim, and the folder of unfinished work that it is on. */
export type WorkClaim = Claim & { work: string };

const file = "command.json";

/** Where an experiment keeps its unfinished work. */
export const workFolder = (experiment: string) => join(experiment, "checkpoints");

/** Where a run's checkpoints go, in a folder of unfinished work. */
export const checkpointsOf = (work: string, run: string) => join(work, run);

/** Where the finished trials of a learning rate's search are kept, beside the checkpoints. */
export const trialsFile = (group: string) => `${group}.trials.json`;
const isTrials = (name: string) => name.endsWith(".trials.json");

/** The unfinished work in a folder, or undefined where all is finished. Throws a UserError where it is damaged. */
export async function readWork(path: string): Promise<Work | undefined> {
  const folder = hostFolder(path, 0);
  if (!(await folder.has(file))) return undefined;
  const damaged = (what: string, cause?: unknown) =>
    new UserError(
      `${what} Without it the experiment cannot go on; --overwrite begins it again.`,
      { cause },
    );
  let content: unknown;
  try {
    content = await readJsonObject(folder, file);
  } catch (cause) {
    throw cause instanceof UserError ? damaged(cause.message, cause) : cause;
  }
  const read = v.safeParse(schema, content);
  if (read.success) return read.output;
  throw damaged(`${join(folder.name, file)}: ${issueOf(read.issues)}.`);
}

export async function writeWork(folder: string, work: Work): Promise<void> {
  await writeFileWhole(join(folder, file), toJson(work));
}

/** Where the runs stand that have checkpoints: `lora-r8 at step 120`. */
export async function describeWork(folder: string, { runs, done }: Work): Promise<string> {
  const left = runs.filter((run) => !done.includes(run));
  const places = await Promise.all(left.map(async (run) => {
    const [step] = await checkpointSteps(checkpointsOf(folder, run));
    return step === undefined ? run : `${run} at step ${step}`;
  }));
  return places.join(", ");
}

/** Claims an experiment's folder for this program. Throws a UserError where that cannot be. */
export function claimWork(experiment: string): WorkClaim {
  const work = workFolder(experiment);
  return { ...claim(experiment, work), work };
}

/** Puts in order what a killed program left in an experiment, which is claimed. */
export async function mendWork(experiment: string): Promise<void> {
  const folder = workFolder(experiment);
  await mend(experiment);
  await mend(join(experiment, logsName));
  await mend(folder);
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await mend(join(folder, name));
  }
}

/** Removes the unfinished work in a folder, but for the lock, which its claim holds. */
export async function dropWork(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name !== "lock") await Deno.remove(join(folder, name), { recursive: true });
  }
}

/**
 * Gives a claimed folder of work back: its work stays where something can be gone on with, which is a finished run or a
 * checkpoint, and goes where nothing can, or nothing is left to do; where its file is damaged it stays too, since a user may
 * mend that. Synchronous, since the process may be ending.
 */
export function leaveWork(folder: string, held: Claim): void {
  try {
    if (!isUseful(folder)) Deno.removeSync(folder, { recursive: true });
  } catch {
    // What cannot be removed does no harm: the next program that trains here puts it in order.
  }
  held.release();
}

function isUseful(folder: string): boolean {
  const entries = (path: string) => [...Deno.readDirSync(path)];
  const isCheckpoint = ({ name }: Deno.DirEntry) => name.startsWith("step-");
  const isBegun = entries(folder).some(({ name, isDirectory }) =>
    isDirectory ? entries(join(folder, name)).some(isCheckpoint) : isTrials(name)
  );
  let text: string;
  try {
    text = Deno.readTextFileSync(join(folder, file));
  } catch (error) {
    return isBegun && !(error instanceof Deno.errors.NotFound); // else no work was written
  }
  try {
    const { runs, done } = JSON.parse(text);
    return done.length < runs.length && (done.length > 0 || isBegun);
  } catch {
    return isBegun;
  }
}
