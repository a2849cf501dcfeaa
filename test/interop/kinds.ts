/** A folder of kinds as exchange.py describes it, read, computed and written here. */
import { join } from "node:path";
import { findRun, type TrainedRun } from "../../cli/trained/run.ts";
import { buildRun } from "../../cli/trained/predictor.ts";
import type { Device } from "../../engine/device.ts";
import { noGrad } from "../../engine/tape.ts";
import { inputLimits } from "../../models/encoders/mod.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { packBatch } from "../../models/nn/batch.ts";

/** `expected.json` */
export interface Expected {
  made_with: string;
  /** Under test/goldens/; null for a whole model. */
  base: string | null;
  sentences: number[][];
  /** By the run's folder in `saved`. */
  logits: Record<string, number[][]>;
}

/** Logits that differ by more are another model's. */
export const tolerance = 1e-4;

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };

export const goldens = join(import.meta.dirname!, "..", "goldens");

/** The kinds in a folder, sorted. */
export function kindsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name).sort();
}

export async function expectedOf(folder: string, kind: string): Promise<Expected> {
  return await readJsonObject(hostFolder(join(folder, kind)), "expected.json") as
    & Record<string, unknown>
    & Expected;
}

/** A kind's run, as the commands find it. */
export async function runOf(
  folder: string,
  kind: string,
  name: string,
  { base }: Expected,
): Promise<TrainedRun> {
  const path = join(folder, kind, "saved", name);
  return await findRun(path, base === null ? undefined : join(goldens, base), hub);
}

/** A row of scores a sentence, as this program computes them. */
export async function logitsOf(
  device: Device,
  run: TrainedRun,
  sentences: number[][],
): Promise<number[][]> {
  const { model, labels } = run;
  const built = await buildRun(device, run);
  device.beginStep(0, 0);
  const limits = inputLimits(model.config, labels.length);
  const batch = packBatch(device, sentences, sentences.map(() => 0), limits);
  const logits = await noGrad(() => built.model.logits(batch)).read();
  device.endStep();
  built.destroy();
  return sentences.map((_, row) => [
    ...logits.slice(row * labels.length, (row + 1) * labels.length),
  ]);
}

/** The largest difference of two tables of scores; infinite where their shapes differ. */
export function worst(found: number[][], wanted: number[][]): number {
  const shape = (rows: number[][]) => rows.map(({ length }) => length).join();
  if (shape(found) !== shape(wanted)) return Infinity;
  return Math.max(...found.flat().map((value, i) => Math.abs(value - wanted.flat()[i])));
}
