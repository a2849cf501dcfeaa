/** Reads what experiments left in their folders: runs, their curves and predictions, and what could not be read. */
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { UserError } from "../../models/errors.ts";
import { textIfThere } from "../../models/host/files.ts";
import { confusionFile, matrixOf, readConfusion } from "../train/confusion.ts";
import { reasonOf } from "../shared/issues.ts";
import {
  type ComparedMethods,
  comparisonSchema,
  type Predicted,
  predictionSchema,
  type RunFields,
  runSchema,
  type Step,
  stepSchema,
} from "./schema.ts";

export interface ReadRun {
  /** The experiment's folder name, and the run's. */
  experiment: string;
  folder: string;
  fields: RunFields;
  steps: Step[];
  predictions: Predicted[];
}

export interface ReadExperiments {
  runs: ReadRun[];
  /** What experiments say of methods over seeds, by the experiment's folder as its runs' paths have it. */
  compared: Map<string, ComparedMethods>;
  /** Sentences on what is there and could not be read. */
  problems: string[];
}

/** The lines of a JSON lines file that are of a schema; a problem is told where some are not. */
async function linesOf<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
  problems: string[],
): Promise<v.InferOutput<Schema>[]> {
  const found: v.InferOutput<Schema>[] = [];
  try {
    const lines = (await textIfThere(path) ?? "").split("\n").filter((line) => line.trim() !== "");
    for (const line of lines) found.push(v.parse(schema, JSON.parse(line)));
  } catch (error) {
    problems.push(`${path} is left out from its line ${found.length + 1} on: ${reasonOf(error)}`);
  }
  return found;
}

/** Adds the confusion matrix of many classes, which has a file of its own. */
async function addConfusion(folder: string, { test }: RunFields, problems: string[]) {
  const path = join(folder, confusionFile);
  try {
    const text = await textIfThere(path);
    if (text === undefined || test.confusion_matrix.length > 0) return;
    const counts = readConfusion(text);
    if (counts.classes === test.per_class.length) test.confusion_matrix = matrixOf(counts);
  } catch (error) {
    problems.push(`${path} is left out: ${reasonOf(error)}`);
  }
}

/** A folder's run, or undefined where it holds none. */
async function readRun(folder: string, problems: string[]): Promise<ReadRun | undefined> {
  const path = join(folder, "run.json");
  try {
    const text = await textIfThere(path);
    if (text === undefined) return undefined;
    const fields = v.parse(runSchema, JSON.parse(text));
    await addConfusion(folder, fields, problems);
    return {
      experiment: basename(join(folder, "..")),
      folder,
      fields,
      steps: await linesOf(join(folder, "steps.jsonl"), stepSchema, problems),
      predictions: await linesOf(join(folder, "predictions.jsonl"), predictionSchema, problems),
    };
  } catch (error) {
    problems.push(`${path} cannot be read: ${reasonOf(error)}`);
    return undefined;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ name }) => !name.startsWith(".")).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UserError(`There is no folder ${folder}.`);
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UserError(`${folder} is a file; a report is made of an experiment's folder.`);
    }
    throw error;
  }
}

/** What an experiment's comparison says, where it has one. */
async function comparedIn(
  folder: string,
  problems: string[],
): Promise<ComparedMethods | undefined> {
  const path = join(folder, "comparison.json");
  try {
    const text = await textIfThere(path);
    return text === undefined ? undefined : v.parse(comparisonSchema, JSON.parse(text));
  } catch (error) {
    problems.push(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** What is said of a folder without a run: one of several experiments has them a level below. */
async function noRun(folder: string, names: string[], why: string | undefined): Promise<UserError> {
  for (const experiment of names.map((name) => join(folder, name))) {
    const below = await namesIn(experiment).catch(() => []);
    const runs = await Promise.all(below.map((name) => isFile(join(experiment, name, "run.json"))));
    if (runs.includes(true)) {
      return new UserError(
        `${folder} holds experiments, not their runs. Name one or more of them, as ${experiment}.`,
      );
    }
  }
  return new UserError(
    `${folder} holds no finished run${why === undefined ? "" : ` that can be read. ${why}`}.`,
  );
}

const isFile = (path: string) => Deno.stat(path).then((info) => info.isFile, () => false);

/** Reads folders of experiments, or of single runs. Throws a UserError where one holds no run that can be read. */
export async function readExperiments(folders: readonly string[]): Promise<ReadExperiments> {
  const runs = new Map<string, ReadRun>();
  const compared: ReadExperiments["compared"] = new Map();
  const problems: string[] = [];
  for (const folder of folders) {
    const names = await namesIn(folder);
    const single = names.includes("run.json");
    const told = problems.length;
    let found = false;
    for (const path of single ? [folder] : names.map((name) => join(folder, name))) {
      const run = await readRun(path, problems);
      if (run === undefined) continue;
      runs.set(Deno.realPathSync(path), run); // once, however often it is named
      found = true;
    }
    const methods = single ? undefined : await comparedIn(folder, problems);
    if (methods) compared.set(dirname(join(folder, "comparison.json")), methods);
    if (found) continue;
    const [why] = problems.slice(told);
    throw await noRun(folder, names, why);
  }
  return { runs: [...runs.values()], compared, problems };
}
