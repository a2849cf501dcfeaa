/** Data sets by name: found on this machine or on the hub, read, cleaned. */
import { type AskedData, type Dataset, readDataset } from "../data/load.ts";
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { fileSource } from "./files.ts";
import { locateDataset, locateSample } from "./locate.ts";
import type { HubSettings } from "./settings.ts";

export interface DatasetRequest extends AskedData {
  /** A file, a folder with one, or a hub id; the default data set where it is missing. */
  dataset?: string;
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
  const { paths, ...about } = useSample ? locateSample() : await locateDataset(dataset, hub);
  // What was said of another data set says nothing about the sample that stands in for it.
  const asked = about.sample && !useSample ? {} : request;
  const files: ByteSource[] = [];
  try {
    for (const path of paths) files.push(await fileSource(path));
    return await readDataset({ ...about, files }, asked);
  } finally {
    for (const file of files) file.close?.();
  }
}
