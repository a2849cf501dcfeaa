/** Data sets by name: found on this machine or on the hub, read, cleaned. */
import { basename } from "node:path";
import { type AskedData, type Dataset, readDataset } from "../data/load.ts";
import type { SplitBy } from "../data/part_names.ts";
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { fileSource, textIfThere } from "./files.ts";
import { locateDataset, locateSample } from "./locate.ts";
import { mostBeside } from "../hub/data_files.ts";
import type { HubSettings } from "./settings.ts";

export interface DatasetRequest extends AskedData {
  /** A file, a folder with one, or a hub id; the default data set where it is missing. */
  dataset?: string;
  splitBy?: SplitBy;
  /** Take the built-in sample. */
  useSample?: boolean;
  hub: HubSettings;
}

/**
 * Finds, reads and cleans a data set. Throws a `UserError` where it cannot be found or read, or has
 * not at least two classes.
 */
export async function loadDataset(request: DatasetRequest): Promise<Dataset> {
  const { dataset, useSample, hub } = request;
  if (useSample && dataset !== undefined) {
    throw new UserError(
      `The built-in sample and the data set ${dataset} contradict each other; ask for one.`,
      { exitCode: 2 },
    );
  }
  const { paths, validation, test, beside, ...about } = useSample
    ? locateSample()
    : await locateDataset(dataset, hub, request.splitBy !== "ratio");
  // What was said of another data set says nothing about the sample that stands in for it.
  const asked = about.sample && !useSample ? { labelCase: request.labelCase } : request;
  const opened: ByteSource[] = [];
  const open = async (paths: readonly string[] | undefined) => {
    if (paths === undefined) return undefined;
    const sources: ByteSource[] = [];
    for (const path of paths) {
      sources.push(await fileSource(path));
      opened.push(sources.at(-1)!);
    }
    return sources;
  };
  try {
    return await readDataset({
      ...about,
      files: (await open(paths))!,
      validation: await open(validation),
      test: await open(test),
      beside: await textsOf(beside ?? []),
    }, asked);
  } finally {
    for (const file of opened) file.close?.();
  }
}

/** The texts of small files, by their names; what cannot be read is left out, since it only names what is there. */
async function textsOf(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = await Promise.all(
    paths.map(async (path) =>
      [basename(path), await smallText(path).catch(() => undefined)] as const
    ),
  );
  return new Map(texts.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function smallText(path: string): Promise<string | undefined> {
  const info = await Deno.stat(path);
  return info.isFile && info.size <= mostBeside ? await textIfThere(path) : undefined;
}
