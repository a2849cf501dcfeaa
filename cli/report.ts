/**
 * `deno task report`: makes the report of experiments again from their folders, and ends with an exit code: 0 done, 1
 * failed, 2 wrong use.
 */
import { join } from "node:path";
import { object } from "@optique/core/constructs";
import { UserError } from "../models/errors.ts";
import { isFolder } from "../models/host/resolve.ts";
import { compareDone } from "./sweep/finish.ts";
import { adviceForReport } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { flag, parseCommand, switchOn, texts, valueOf } from "./shared/flag_parser.ts";
import { parseText } from "./shared/flag_values.ts";
import { countOf, formatBytes } from "./shared/format.ts";
import { jsonText, type Output, renderNotice, standardOutput } from "./shared/terminal.ts";

const command = "deno task report";

export const parser = object({
  output: flag(
    "--output",
    valueOf("PATH", parseText, ""),
    "Where the page goes",
    "in the folder",
  ),
  json: switchOn("--json", "Print one JSON document"),
  folders: texts("Folders of experiments, or of single runs", "FOLDER"),
});

/** Where the page goes. Throws a UserError where that is not told. */
async function outputOf(folders: readonly string[], output: string | undefined): Promise<string> {
  if (folders.length === 0) {
    throw new UserError(`Say which experiment: ${command} results/FOLDER.`, { exitCode: 2 });
  }
  if (output !== undefined) {
    return await isFolder(output) ? join(output, "comparison.html") : output;
  }
  if (folders.length === 1) return join(folders[0], "comparison.html");
  throw new UserError(
    `A page of ${folders.length} folders belongs to none of them: say where it goes with --output FILE.`,
    { exitCode: 2 },
  );
}

/** Runs the command; returns its exit code. */
export function main(
  args: readonly string[],
  stdout: Output = standardOutput("stdout"),
  stderr: Output = standardOutput("stderr"),
): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief:
      "Makes comparison.html again from an experiment's folder: one page with tables, charts " +
      "and the sentences that went wrong, which asks the network for nothing. Several folders make " +
      "one page.",
    examples: [
      "report results/001-mini-sample",
      "report results/001-mini results/002-mini --output both.html",
    ],
    operands: "FOLDER …",
  });
  return runCommand(parsed, command, async ({ folders, output, json }) => {
    const path = await outputOf(folders, output);
    const unfinished: string[] = [];
    for (const folder of folders) {
      const { done = [], tasks = [] } = await compareDone(folder) ?? {};
      if (done.length === tasks.length) continue;
      unfinished.push(`${folder}: ${done.length} of ${tasks.length} tasks of the sweep are done.`);
    }
    // Loaded only now: charts are drawn by packages that take their time.
    const { writeReport } = await import("./report/write.ts");
    const { bytes, runs, problems } = await writeReport(folders, path, output);
    for (const problem of problems) stderr.write(renderNotice(stderr, problem));
    const text = json
      ? jsonText({ path, bytes, runs, problems, unfinished })
      : [`${path}: ${countOf(runs, "run")}, ${formatBytes(bytes)}`, ...unfinished].join("\n");
    stdout.write(`${text}\n`);
  }, { stdout, stderr, advice: adviceForReport });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
