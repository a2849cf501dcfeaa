/** What a trained run's classes are called: as the command line says, or the folder, or the one above it. */
import { dirname, resolve } from "node:path";
import { readText } from "../../models/data/text_decoding.ts";
import { counted, messageOf, quotedNames, UserError } from "../../models/errors.ts";
import type { Folder } from "../../models/files/folder.ts";
import { fileSource, hostFolder } from "../../models/host/files.ts";
import type { LoadedRun } from "../../models/peft/export.ts";
import { labelsOfRun } from "../../models/peft/run_files.ts";

/** Names that are given: with commas between them, or a text file's lines, where there is such a file. */
async function givenNames(given: string): Promise<string[]> {
  const isFile = await Deno.stat(given).then(({ isFile }) => isFile, () => false);
  const names = isFile ? (await textOf(given)).trimEnd().split("\n") : given.split(",");
  return names.map((name) => name.trim());
}

async function textOf(path: string): Promise<string> {
  const source = await fileSource(path);
  try {
    return await readText(source);
  } catch (error) {
    // --encoding, which advice would name, is of a file of texts.
    const kind = error instanceof UserError ? error.remedy?.kind : undefined;
    if (kind !== "nameEncoding") throw error;
    throw new UserError(`${messageOf(error)} Save it as UTF-8.`);
  } finally {
    source.close?.();
  }
}

function checkNames(names: readonly string[], classes: number, folder: string): void {
  const quoted = quotedNames(names);
  const wrong = (what: string) => {
    throw new UserError(`--labels ${what}.`, { exitCode: 2 });
  };
  if (names.includes("")) wrong(`holds an empty name: ${quoted}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) wrong(`holds "${twice}" twice`);
  if (names.length !== classes) {
    wrong(
      `names ${counted(names.length, "class", "classes")} (${quoted}), but the classifier in ` +
        `${folder} has ${classes}. Give names with commas between them, or a file with one a line`,
    );
  }
}

/**
 * The classes' names, in the order of the classifier's rows, and what the reader must not overlook. Throws a
 * UserError where their number is another, or a given name is empty or there twice.
 */
export async function labelsFor(
  run: Pick<LoadedRun, "labels">,
  folder: Folder,
  classes: number,
  given: string | undefined,
): Promise<{ names: string[]; notices: string[] }> {
  if (given !== undefined) {
    const names = await givenNames(given);
    checkNames(names, classes, folder.name);
    return { names, notices: [] };
  }
  // Adapters that PEFT saved side by side may share a run.json.
  const names = run.labels ?? await labelsOfRun(hostFolder(dirname(resolve(folder.name))), classes);
  if (names !== undefined) return { names, notices: [] };
  return {
    names: Array.from({ length: classes }, (_, id) => `LABEL_${id}`),
    notices: [
      `${folder.name} does not say what its ${classes} classes are called. ` +
      `Name them with --labels, in the order of the classifier's rows.`,
    ],
  };
}
