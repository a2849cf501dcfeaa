/**
 * `deno task web:build`: the page as static files. The task has the bundler put the code in `web/dist`; this adds what
 * lies beside it, and copies all of it elsewhere where that is asked for. Exit codes: 0 done, 1 failed, 2 wrong use.
 */
import { dirname, join } from "node:path";
import { object } from "@optique/core/constructs";
import { filesBelow } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { runCommand } from "../shared/command.ts";
import { flag, parseCommand, switchOn, valueOf } from "../shared/flag_parser.ts";
import { parsePath } from "../shared/flag_values.ts";
import { countOf, formatBytes } from "../shared/format.ts";
import { standardOutput } from "../shared/terminal.ts";
import { copied, repositoryPath, siteFolder } from "./site.ts";

const command = "deno task web:build";

export const parser = object({
  output: flag("--output", valueOf("FOLDER", parsePath, ""), "Where the files go", "web/dist"),
  quiet: switchOn("--quiet", "Say nothing of what was built"),
});

/** Copies files into one, and returns its bytes. */
async function copy(from: readonly string[], to: string): Promise<number> {
  const content = await new Blob(await Promise.all(from.map((path) => Deno.readFile(path))))
    .bytes();
  await Deno.mkdir(dirname(to), { recursive: true });
  await writeFileWhole(to, content);
  return content.length;
}

/** Puts the site's files together, around the code that lies in a folder; returns how many there are, and their bytes. */
export async function buildSite(
  { code = siteFolder, output = code }: { code?: string; output?: string },
): Promise<{ files: number; bytes: number }> {
  const names = (await filesBelow(code)).filter((name) => !Object.hasOwn(copied, name));
  let bytes = 0;
  for (const name of names) {
    const path = join(code, name);
    bytes += output === code
      ? (await Deno.stat(path)).size
      : await copy([path], join(output, name));
  }
  for (const [name, paths] of Object.entries(copied)) {
    bytes += await copy([paths].flat().map(repositoryPath), join(output, name));
  }
  return { files: names.length + Object.keys(copied).length, bytes };
}

function main(args: readonly string[]): Promise<number> {
  const stdout = standardOutput("stdout");
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Builds the page that trains in a browser: static files, for any web server.",
    examples: ["web:build", "web:build --output ../site"],
  });
  return runCommand(parsed, command, async ({ output, quiet }) => {
    const { files, bytes } = await buildSite({ output });
    const what = `${countOf(files, "file")}, ${formatBytes(bytes)}`;
    if (!quiet) stdout.write(`${output ?? "web/dist"}: ${what}\n`);
  }, { stdout });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
