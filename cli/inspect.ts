/**
 * `deno task inspect PATH`: what a file, a folder or a repository on the hub holds, what kind of thing
 * it is, and how to use it here. Ends with an exit code: 0 told, 1 a file that cannot be read, 2 wrong use.
 */
import { dirname } from "node:path";
import { object } from "@optique/core/constructs";
import { text } from "@optique/core/message";
import { argument } from "@optique/core/primitives";
import { isDataName } from "../models/data/kind.ts";
import { UserError } from "../models/errors.ts";
import { cannotRead, fileSource, hostFolder, isMissing } from "../models/host/files.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { parseCommand, switchOn, valueOf } from "./shared/flag_parser.ts";
import { parsePath } from "./shared/flag_values.ts";
import { inspectTable } from "./inspect/data.ts";
import { inspectFolder } from "./inspect/folder.ts";
import { type Found, foundIn } from "./inspect/found.ts";
import { hubRepositories, inspectOnHub } from "./inspect/hub.ts";
import { reportDocument, reportLines } from "./inspect/report.ts";
import { readWeights } from "./inspect/weights.ts";
import { quoted } from "./shared/shell.ts";
import { harmless, jsonText, standardOutput } from "./shared/terminal.ts";

const command = "deno task inspect";

export const parser = object({
  path: argument(valueOf("PATH", parsePath, ""), {
    description: [text("A file or folder, or a model or data set on the Hub")],
  }),
  all: switchOn("--all", "List every tensor, those of all layers one by one"),
  json: switchOn("--json", "Print one JSON document on stdout"),
});

/** Tells a file or a folder, or a repository on the hub. Throws a UserError where there is none, or where it cannot be read. */
export async function inspect(path: string): Promise<Found> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (cause) {
    if (!isMissing(cause)) {
      throw new UserError(cannotRead(path, cause), { cause });
    }
    const settings = hubSettings(standardOutput("stderr"));
    const repositories = hubRepositories(path, settings.endpoint);
    if (repositories.length > 0) return await inspectOnHub(path, repositories, settings);
    throw new UserError(
      `There is no file or folder ${path}, and a model or a data set on the hub is named org/name.`,
      { cause },
    );
  }
  if (info.isDirectory) return await inspectFolder(hostFolder(path, 1));
  if (!info.isFile) throw new UserError(`${path} is neither a file nor a folder.`);
  if (isDataName(path)) return await inspectTable(path);
  const found = foundIn(path, "safetensors");
  found.weights.push(await readWeights(await fileSource(path), path));
  const folder = dirname(path);
  found.use = { command: `deno task inspect ${quoted(folder)}` };
  found.notes.push("A file of weights is used with the folder that it lies in.");
  return found;
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const stdout = standardOutput("stdout");
  const parsed = parseCommand(parser, args, {
    command,
    brief:
      "Says what a safetensors file, a folder or a repository on the Hub holds, its kind, and " +
      "how to use it here: models, adapters, runs, experiments, data sets. Of weights only headers " +
      "are read, and nothing is stored.",
    operands: "PATH",
    examples: [
      "inspect results/001-mini-sample",
      "inspect --all model.safetensors",
      "inspect bert-base-uncased",
      "inspect datasets/boltuix/emotions-dataset",
    ],
  });
  return runCommand(parsed, command, async ({ path, all, json }) => {
    const found = await inspect(path);
    const document = json
      ? jsonText(reportDocument(found))
      : reportLines(found, all, stdout.columns()).join("\n");
    stdout.write(`${document}\n`);
    return found.damaged ? 1 : 0;
  }, { stdout, escape: harmless });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
