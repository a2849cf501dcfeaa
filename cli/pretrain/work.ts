/**
 * What a pretraining has still to do: in its output's folder `checkpoints` lie the command that began it, its vocabulary,
 * the teacher's vectors and the newest states. It is there while a program trains, stays where that is stopped, and goes
 * when the model is whole.
 */
import { join } from "node:path";
import * as v from "valibot";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { mend, removeIfEmpty } from "../shared/folders.ts";
import { quoted } from "../shared/shell.ts";
import { type Claim, claim } from "../train/claim.ts";

const schema = v.object({
  /** The arguments of `deno task pretrain`. */
  command: v.array(v.string()),
  /** Of the texts: other ones would be another run. */
  hash: v.string(),
  /** The fingerprint of the teacher's weights, where there is one. */
  teacher: v.optional(v.string()),
});

export type PretrainWork = v.InferOutput<typeof schema>;

const flags = { other: "--output", place: "--output" };
const workFile = "command.json";
const vocabFile = "vocab.txt";

export const workFolder = (output: string) => join(output, "checkpoints");

/** The vocabulary that the run began with. */
export const vocabularyPath = (output: string) => join(workFolder(output), vocabFile);

/** Reads what began an unfinished pretraining; undefined where there is none. */
export async function readWork(output: string): Promise<PretrainWork | undefined> {
  const folder = hostFolder(workFolder(output));
  if (!(await folder.has(workFile))) return undefined;
  const read = v.safeParse(schema, await readJsonObject(folder, workFile));
  if (read.success) return read.output;
  throw new UserError(`${join(workFolder(output), workFile)} is damaged.`);
}

/** Notes it; the vocabulary is written before. */
export async function writeWork(output: string, work: PretrainWork): Promise<void> {
  await writeFileWhole(join(workFolder(output), workFile), toJson(work));
}

/**
 * Claims an output folder for a pretraining that begins. Throws a UserError where it holds something, unless `overwrite`,
 * which drops it, or where another program is at work there.
 */
export async function claimOutput(output: string, overwrite: boolean): Promise<Claim> {
  const unfinished = await readWork(output);
  const isModel = await exists(join(output, "config.json"));
  if (!overwrite && unfinished !== undefined) {
    throw new UserError(
      `${output} has an unfinished pretraining. --resume --output ${
        quoted(output)
      } goes on with it; ` +
        `--overwrite drops it.`,
      { exitCode: 2 },
    );
  }
  if (!overwrite && isModel) {
    throw new UserError(
      `${output} holds a model already. --overwrite replaces it; another --output keeps both.`,
      { exitCode: 2 },
    );
  }
  const held = claim(output, workFolder(output), flags);
  await mend(workFolder(output));
  if (unfinished !== undefined) await dropWork(output);
  return held;
}

/** Claims an output folder for a pretraining that goes on. */
export async function claimResumed(output: string): Promise<Claim> {
  const held = claim(output, workFolder(output), flags);
  await mend(workFolder(output));
  return held;
}

/** Where the teacher's vectors are kept, and the states of the run. */
export const vectorsFolder = (output: string) => join(workFolder(output), "teacher");
export const statesFolder = (output: string) => join(workFolder(output), "states");

/** Lets others in; where nothing was done that is worth keeping, no folder is left behind. */
export async function leaveOutput(output: string, held: Claim): Promise<void> {
  held.release();
  const folder = workFolder(output);
  const kept = [vectorsFolder(output), statesFolder(output)];
  if (!(await exists(folder)) || (await Promise.all(kept.map(exists))).includes(true)) return;
  await Deno.remove(folder, { recursive: true });
  removeIfEmpty(output);
}

/** Removes all that is left of an unfinished pretraining, but for the claim's own file. */
export async function dropWork(output: string): Promise<void> {
  const folder = workFolder(output);
  for await (const { name } of Deno.readDir(folder)) {
    if (name !== "lock") await Deno.remove(join(folder, name), { recursive: true });
  }
}
