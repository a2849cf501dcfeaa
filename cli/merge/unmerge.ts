/** A merged model's way back: whether its base is left where the run's adapter is taken out of it. */
import { openWeights } from "../../models/encoders/weights.ts";
import { counted, UserError } from "../../models/errors.ts";
import { hostFolder } from "../../models/host/files.ts";
import { isFolder } from "../../models/host/resolve.ts";
import { type Unmerged, unmergeRun } from "../../models/peft/unmerge.ts";
import type { Unfinished } from "../shared/folders.ts";
import { formatBytes } from "../shared/format.ts";
import { openBase, type TrainedRun } from "../trained/run.ts";
import { writeModel } from "./model_folder.ts";

/** What was taken out and what is left, under the names of `--json`. */
export interface UnmergeReport {
  run: string;
  method: string;
  base: string;
  unmerged: string;
  layers: number;
  /** The largest difference that the adapter makes to a weight; what is left of it without; where, and how much may be. */
  change: number;
  difference: number;
  tensor: string;
  tolerance: number;
  matches: boolean;
  lost: Unmerged["lost"];
  output?: string;
  files?: string[];
  bytes?: number;
}

/**
 * Takes a run's adapter out of a merged model and compares what is left with the base; writes it to `output` where
 * that is given and they match. Throws a UserError where the folder is of another model.
 */
export async function unmergeFolder(
  run: TrainedRun,
  folder: string,
  output: string | undefined,
  unfinished: Unfinished,
): Promise<UnmergeReport> {
  if (!(await isFolder(folder))) throw new UserError(`There is no folder ${folder}.`);
  const { config } = run.model;
  const classes = run.labels.length;
  const base = await openBase(run);
  const merged = await openWeights(hostFolder(folder), config, classes)
    .catch((error) => {
      base.close();
      // Not the base is at fault, which is what the ways out of such an error are about.
      throw error instanceof UserError
        ? new UserError(`${error.message} It is no merged model of ${run.model.name}.`)
        : error;
    });
  const { weights, layers, ...found } = await unmergeRun(run, { config, classes, base, merged })
    .finally(() => {
      base.close();
      merged.close();
    });
  const matches = found.difference <= found.tolerance;
  const written = matches && output !== undefined
    ? { output, ...await writeModel(run, weights, output, { unfinished }) }
    : undefined;
  return {
    run: run.folder.name,
    method: run.method.method,
    base: run.model.name,
    unmerged: folder,
    layers: layers.length,
    ...found,
    matches,
    ...written,
  };
}

const figure = (value: number): string =>
  value === 0 || value >= 1e-3 ? `${Number(value.toPrecision(2))}` : value.toExponential(1);

/** What was found, as sentences. */
export function unmergeLines(name: string, report: UnmergeReport): string[] {
  const { unmerged, base, layers, change, difference, tolerance, lost } = report;
  const lines = [
    `${name} taken out of ${
      counted(layers, "layer")
    } of ${unmerged}, which it had changed by up to ` +
    `${figure(change)}: ${base} again, to ${figure(difference)} (at most ${figure(tolerance)}).`,
    ...lost.map(({ layer, count }) =>
      `${layer}: ${
        counted(count, "row or column is", "rows or columns are")
      } scaled by 0 and cannot be told: the base's are in their place.`
    ),
  ];
  if (report.output !== undefined) {
    lines.push(`Written: ${report.output}, ${formatBytes(report.bytes!)}`);
  }
  return lines;
}

/** That the model is not the one that the run makes of its base. */
export function mismatch({ unmerged, difference, tensor, tolerance, base }: UnmergeReport) {
  return new UserError(
    `Without the run's adapter, ${unmerged} is not ${base}: ${tensor} is off by ` +
      `${figure(difference)}, of which rounding explains ${
        figure(tolerance)
      }. It was merged from ` +
      `another run or over another base, or it was trained, or saved in half precision, since.`,
  );
}
