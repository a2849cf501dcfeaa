/** Makes a report of experiments' folders and writes it. */
import { writeFileWhole } from "../../models/host/write.ts";
import { reportOf } from "./model.ts";
import { page } from "./page.ts";
import { readExperiments } from "./read.ts";
import { shellWords } from "./sections/settings.ts";

export interface WrittenReport {
  path: string;
  bytes: number;
  /** How many runs are in it, and sentences on what is not. */
  runs: number;
  problems: string[];
}

/** The command that makes a report again. */
const commandOf = (folders: readonly string[], output: string | undefined) =>
  shellWords([
    ...["deno", "task", "report", ...folders],
    ...(output === undefined ? [] : ["--output", output]),
  ]);

/**
 * Writes the report of folders to `path`, whole or not at all. `asked` is the path as it was given, for the command that the
 * page tells. Throws a UserError where a folder holds no run, and a WriteError.
 */
export async function writeReport(
  folders: readonly string[],
  path: string,
  asked?: string,
): Promise<WrittenReport> {
  const read = await readExperiments(folders);
  const text = page(reportOf(read), commandOf(folders, asked));
  const bytes = await writeFileWhole(path, text);
  return { path, bytes, runs: read.runs.length, problems: read.problems };
}
