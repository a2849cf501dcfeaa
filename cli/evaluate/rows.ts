/** Which rows a trained run is measured on: its own part of its own data, or other data. */
import { lookOf } from "../../models/data/labels.ts";
import type { Dataset, Example } from "../../models/data/load.ts";
import { givenParts } from "../../models/data/notices.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { listed, UserError } from "../../models/errors.ts";
import { type DatasetRequest, loadDataset } from "../../models/host/dataset.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { adviceForEvaluation, messageWithAdvice } from "../shared/advice.ts";
import type { TrainedRun } from "../trained/run.ts";

export const parts = ["test", "validation", "train", "all"] as const;
export type Part = typeof parts[number];

/** What was asked for; all of it undefined (or false) for the run's own test part. */
export interface AskedRows extends Omit<DatasetRequest, "hub" | "phrase"> {
  split?: Part;
}

export interface EvaluatedRows {
  dataset: Dataset;
  part: Part;
  /** Labels count in the run's order. */
  examples: Example[];
  /** Whether the data are, row for row, what the run was trained on. */
  sameData: boolean;
  /** What the reader must not overlook. */
  notices: string[];
}

/** The run's data unless others are named; columns that are named alone are columns of the run's data. */
function requestOf({ data }: TrainedRun, asked: AskedRows, hub: HubSettings): DatasetRequest {
  const { dataset, useSample, textColumn, labelColumn, encoding, quoting } = asked;
  const phrase = (notice: unknown) => messageWithAdvice(notice, adviceForEvaluation);
  if (dataset !== undefined || useSample) {
    return { ...asked, labelCase: data?.labelCase, phrase, hub };
  }
  if (data === undefined) {
    throw new UserError(
      `No run.json tells which data the run was trained on. Name some with --dataset.`,
      { exitCode: 2 },
    );
  }
  return {
    dataset: data.sample ? undefined : data.name,
    useSample: data.sample,
    textColumn: textColumn ?? data.textColumn,
    labelColumn: labelColumn ?? data.labelColumn,
    splitBy: data.splitBy,
    labelCase: data.labelCase,
    encoding: encoding ?? data.encoding,
    quoting: quoting ?? data.quoting,
    phrase,
    hub,
  };
}

/**
 * The run's index of each of the data's labels, where it was trained so of one that differs in case or blanks too. Throws a
 * UserError that names those it does not know.
 */
function matchLabels(run: TrainedRun, { name, labels }: Dataset): number[] {
  const quoted = (names: string[]) => listed(names.map((each) => `"${each}"`), 20);
  const ids = new Map(run.labels.map((label, id) => [label, id]));
  const looks = new Map(
    run.data?.labelCase === "fold" ? run.labels.map((label, id) => [lookOf(label), id]) : [],
  );
  const idOf = (label: string) => ids.get(label) ?? looks.get(lookOf(label));
  const unknown = labels.filter((label) => idOf(label) === undefined);
  if (unknown.length > 0) {
    throw new UserError(
      `${name} has labels that the run does not know: ${quoted(unknown)}. It knows ` +
        `${quoted(run.labels)}. Leave these rows out, or name another column with --label_column.`,
    );
  }
  return labels.map((label) => idOf(label)!);
}

/**
 * Loads the rows. Throws a UserError where the data cannot be had, has labels that the run does not
 * know, or is to be split although no `run.json` says how.
 */
export async function evaluatedRows(
  run: TrainedRun,
  asked: AskedRows,
  hub: HubSettings,
): Promise<EvaluatedRows> {
  const { data } = run;
  const own = asked.dataset === undefined && !asked.useSample &&
    asked.textColumn === undefined && asked.labelColumn === undefined &&
    asked.encoding === undefined && asked.quoting === undefined;
  const dataset = await loadDataset(requestOf(run, asked, hub));
  const ids = matchLabels(run, dataset);
  const sameData = dataset.hash === data?.hash;
  const hasTest = (dataset.given?.test ?? 0) > 0;
  const part = asked.split ?? (own || sameData || hasTest ? "test" : "all");
  let rows: readonly Example[] = dataset.examples;
  const isGiven = part !== "all" && (dataset.given?.[part] ?? 0) > 0;
  if (isGiven && !own && !sameData) {
    // The data's own, whole: what a run was sampled or split by is no matter.
    rows = givenParts(rows, dataset.given!).get(part)!;
  } else if (part !== "all") {
    if (data === undefined) {
      throw new UserError(`No run.json tells the seed of the run's split: take --split all.`, {
        exitCode: 2,
      });
    }
    const { seed, maxSamples } = data;
    const limit = own || sameData ? maxSamples : undefined;
    rows = stratifiedSplit(dataset, { seed, maxSamples: limit })[part];
  }
  const notices = [...dataset.notices];
  if (own && !sameData) {
    notices.push(
      `${dataset.name} has changed since the run was trained: its hash is ${dataset.hash}, and ` +
        `run.json's is ${data?.hash}. The figures are of other rows.`,
    );
  }
  const examples = rows.map((row) => ({ ...row, label: ids[row.label] }));
  return { dataset, part, examples, sameData, notices };
}
