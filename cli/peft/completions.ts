/** `deno task peft completions SHELL`: prints a script with which a shell completes the commands. */
import { object } from "@optique/core/constructs";
import { text } from "@optique/core/message";
import { argument } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { runCommand } from "../shared/command.ts";
import { parseCommand } from "../shared/flag_parser.ts";
import { type Output, standardOutput } from "../shared/terminal.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { allWords } from "./words.ts";
import { zshScript } from "./zsh.ts";

const command = "deno task peft completions";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

export const parser = object({
  shell: argument(choice(["bash", "zsh", "fish"], { metavar: "SHELL" }), {
    description: [text("bash, zsh or fish")],
  }),
});

/** Runs the command; returns its exit code. */
export function main(
  args: readonly string[],
  stdout: Output = standardOutput("stdout"),
): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Prints a script with which a shell completes deno task and ./denow task: commands, " +
      "flags, and the values of flags that take one of some words, a file or a folder.",
    operands: "SHELL",
    examples: ["peft completions bash", "peft completions fish"],
  });
  return runCommand(parsed, command, async ({ shell }) => {
    stdout.write(scripts[shell](await allWords()));
  }, { stdout });
}
