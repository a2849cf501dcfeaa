/** The files of deploy/, of which a sweep fills in some lines: they are what it writes for an example. */
import { UserError } from "../../models/errors.ts";

const folder = new URL("../../deploy/", import.meta.url);

/** A template of deploy/, or one that the user made of it. Throws a UserError where that cannot be read. */
export async function readTemplate(name: string, given: string | undefined): Promise<string> {
  if (given === undefined) return await Deno.readTextFile(new URL(name, folder));
  try {
    return await Deno.readTextFile(given);
  } catch (cause) {
    throw new UserError(
      `--template ${given} cannot be read: give it a copy of deploy/${name} with your changes.`,
      { exitCode: 2, cause },
    );
  }
}

/**
 * Replaces what follows the beginnings of lines, each in the first line that has it. Throws a UserError (wrong use) where a
 * template has none.
 */
export function fill(
  template: string,
  name: string,
  values: [begins: string, value: string][],
): string {
  const lines = template.split("\n");
  for (const [begins, value] of values) {
    const at = lines.findIndex((line) => line.trimStart().startsWith(begins));
    if (at < 0) {
      throw new UserError(
        `The template has no line that begins with "${begins}", which a sweep fills in: take a fresh ` +
          `copy of deploy/${name}.`,
        { exitCode: 2 },
      );
    }
    if (/[[,\\]$/.test(lines[at])) {
      throw new UserError(
        `The template's line "${
          lines[at].trim()
        }" goes on in the next one: a sweep fills in one line, as ` +
          `deploy/${name} has it.`,
        { exitCode: 2 },
      );
    }
    const indent = lines[at].length - lines[at].trimStart().length;
    lines[at] = `${" ".repeat(indent)}${begins}${value}`;
  }
  return lines.join("\n");
}
