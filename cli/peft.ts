/**
 * `deno task peft COMMAND`: the front door. Lists the commands, and runs the one that is named in this
 * process, with its exit code; 2 where there is none of the name.
 */
import { findSimilar } from "@optique/core/suggestion";
import { UserError } from "../models/errors.ts";
import { commandNamed, commands } from "./peft/commands.ts";
import { runCommand } from "./shared/command.ts";
import { giveUp } from "./shared/permissions.ts";
import { widest } from "./shared/table.ts";
import { type Output, standardOutput, wrap } from "./shared/terminal.ts";

const command = "deno task peft";

/** What can be typed, as lines at most `columns` wide. */
function overview(columns: number): string {
  const rows: [string, string][] = [
    ...Object.entries(commands).map(([name, { summary }]): [string, string] => [name, summary]),
    ["help COMMAND", "Show a command's flags, as COMMAND --help does"],
  ];
  const left = widest(rows.map(([name]) => name)) + 4;
  const width = Math.max(20, Math.min(columns, 80) - left);
  const lines = rows.flatMap(([name, summary]) =>
    wrap(summary, width).map((line, index) => `  ${(index ? "" : name).padEnd(left - 2)}${line}`)
  );
  return [
    `Usage: ${command} COMMAND …`,
    "",
    ...lines,
    "",
    "Examples:",
    `  ${command} train --method lora --model_name mini --use_sample`,
    `  ${command} predict --run results/001-mini-sample/lora-r8 "I am so happy"`,
    `  ${command} help train`,
    "",
  ].join("\n");
}

function unknown(name: string): UserError {
  const [nearest] = findSimilar(name, [...Object.keys(commands), "help"], { maxSuggestions: 1 });
  const guess = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new UserError(`There is no command "${name}".${guess} ${command} lists them all.`, {
    exitCode: 2,
  });
}

/** Runs the command that the first argument names, without what it needs not; returns its exit code. */
export async function main(
  args: readonly string[],
  stdout: Output = standardOutput("stdout"),
  stderr: Output = standardOutput("stderr"),
  give: typeof giveUp = () => {},
): Promise<number> {
  const [first = "--help", ...rest] = args;
  const asksHelp = (word?: string) => word === "--help" || word === "-h" || word === "help";
  if (asksHelp(first) && (rest.length === 0 || asksHelp(rest[0]))) {
    stdout.write(overview(stdout.columns()));
    return 0;
  }
  const [name, given] = asksHelp(first) ? [rest[0], ["--help"]] : [first, rest];
  const found = commandNamed(name);
  if (found) {
    give(...found.without ?? []);
    return await found.main(given);
  }
  const parsed = { kind: "flags", flags: name } as const;
  return await runCommand(parsed, command, (name) => Promise.reject(unknown(name)), {
    stdout,
    stderr,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args, undefined, undefined, giveUp));
