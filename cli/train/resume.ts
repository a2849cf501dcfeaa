/** `--resume`: finds an experiment that was stopped, and reads the command that began it. */
import { basename, dirname, join } from "node:path";
import type { Dataset } from "../../models/data/load.ts";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { entriesOf, exists, hostFolder } from "../../models/host/files.ts";
import { weightsDiffer } from "../../models/host/fingerprint.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import type { ClassWeights } from "../../models/training/class_weights.ts";
import { inSnakeCase } from "../shared/format.ts";
import { type Flags, parseFlags } from "./flags.ts";
import type { RunReport } from "./run_report.ts";
import { isSweep } from "./sweep_folder.ts";
import { readWork, type Work, workFolder } from "./work.ts";

/** An experiment that goes on. */
export interface Resumed {
  folder: string;
  work: Work;
}

/** Flags that may stand beside `--resume`: they change nothing of what is trained, but for the last bits by another backend. */
const allowed: readonly (keyof Flags)[] = [
  "resume",
  "outputDir",
  "json",
  "backend",
  "checkpointSteps",
  "keepCheckpoints",
];

const isGiven = (value: unknown) => value !== undefined && value !== false;

/** The names of the flags that were given and may not be. */
function surplusFlags(flags: Flags): string[] {
  const { settings, ...rest } = flags;
  const names = Object.entries(rest)
    .filter(([name, value]) => isGiven(value) && !allowed.includes(name as keyof Flags))
    .map(([name]) => inSnakeCase(name));
  const ofMethods = Object.entries(settings).filter(([, value]) => isGiven(value));
  return [...names, ...ofMethods.map(([name]) => name)].map((name) => `--${name}`);
}

/** The experiment in a folder of results whose work was written last. Throws a UserError where there is none. */
async function newest(outputDir: string): Promise<string> {
  const found: { folder: string; time: number }[] = [];
  if (await exists(outputDir)) {
    for (const { name } of await entriesOf(outputDir)) {
      const folder = join(outputDir, name);
      const info = await Deno.stat(join(workFolder(folder), "command.json")).catch(() => undefined);
      if (info) found.push({ folder, time: info.mtime?.getTime() ?? 0 });
    }
  }
  const [last] = found.sort((a, b) => b.time - a.time);
  if (last !== undefined) return last.folder;
  throw new UserError(
    `${outputDir} holds no experiment that was stopped: there is nothing to resume.`,
  );
}

/** What `--resume` finds: an experiment with the flags of the command that began it, or one that is finished. */
type Found =
  | { finished: true; folder: string }
  | { finished: false; resumed: Resumed; flags: Flags };

/**
 * Finds what `--resume` asks for.
 * Throws a UserError where there is none, or where a flag beside it would change what is trained.
 */
export async function findResumed(flags: Flags): Promise<Found> {
  const surplus = surplusFlags(flags);
  if (surplus.length > 0) {
    throw new UserError(
      `--resume goes on with the flags of the command that began: leave out ${surplus.join(", ")}.`,
      { exitCode: 2 },
    );
  }
  const asked = flags.resume ?? "";
  const folder = asked === ""
    ? await newest(flags.outputDir ?? "results")
    : basename(asked) === basename(workFolder("."))
    ? dirname(asked)
    : asked;
  if (!(await exists(folder))) throw new UserError(`There is no folder ${folder} to resume.`);
  const work = await readWork(workFolder(folder));
  if (work === undefined) {
    if (await isSweep(folder)) {
      throw new UserError(
        `${folder} is the folder of a sweep: give deno task sweep the same flags again to go on with it.`,
      );
    }
    if (await exists(join(folder, "comparison.json"))) return { finished: true, folder };
    throw new UserError(`${folder} is not the folder of an experiment that was stopped.`);
  }
  const parsed = parseFlags(work.command);
  if (parsed.kind !== "flags") {
    // What flags there are like a damaged one is of no use here.
    const why = parsed.kind === "error"
      ? ` ${parsed.message.replace(/ Did you mean .*$/s, "")}`
      : "";
    throw new UserError(`The command in ${workFolder(folder)} is not of this version.${why}`);
  }
  const { json, checkpointSteps, keepCheckpoints } = flags;
  return {
    finished: false,
    resumed: { folder, work },
    flags: {
      ...parsed.flags,
      json,
      checkpointSteps: checkpointSteps ?? parsed.flags.checkpointSteps,
      keepCheckpoints: keepCheckpoints ?? parsed.flags.keepCheckpoints,
    },
  };
}

/**
 * Brings the work of an experiment, once it is claimed, up to what another program has done since it was read. Throws a
 * UserError where nothing is left.
 */
export async function readAgain(resumed: Resumed): Promise<void> {
  const work = await readWork(workFolder(resumed.folder));
  if (work === undefined) {
    throw new UserError(`Another program has just finished or dropped ${resumed.folder}.`);
  }
  resumed.work = work;
}

/** Throws a UserError where model, data or class weights are others than those that the experiment began with. */
export function checkSame(
  { folder, work }: Resumed,
  { model, weights, dataset, classWeights }: {
    model: ResolvedModel;
    /** The fingerprint of its weights. */
    weights: string;
    dataset: Dataset;
    classWeights: ClassWeights | undefined;
  },
): void {
  const changed = [
    work.model.name !== model.name && `the model was ${work.model.name}, now it is ${model.name}`,
    weightsDiffer(work.model.weights, weights) && `the weights of ${model.name} have changed`,
    work.dataset_hash !== dataset.hash && `the rows of ${dataset.name} have changed`,
    toJson(work.class_weights ?? {}) !== toJson(classWeights ?? {}) &&
    `the class weights have changed`,
  ].filter((what) => what !== false);
  if (changed.length === 0) return;
  throw new UserError(
    `${folder} cannot go on: ${changed.join("; ")}. Put that back, or begin a new experiment.`,
  );
}

/** The `run.json` of a finished run. */
export async function savedReport(folder: string, run: string): Promise<RunReport> {
  return await readJsonObject(hostFolder(join(folder, run)), "run.json") as unknown as RunReport;
}
