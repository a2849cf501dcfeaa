/** The script for fish: what it adds stands beside fish's own completions of deno. */
import type { CommandWords, FlagWords, Value, Words } from "./words.ts";

/** A text as fish takes it, in single quotes. */
const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;

/** What completes a value; fish offers files unless it is told not to. */
function valueOptions(value: Value): string {
  switch (value.kind) {
    case "none":
      return "";
    case "text":
      return " -x";
    case "files":
      return " -r -F";
    case "folders":
      return ` -x -a '(__fish_complete_directories (commandline -ct))'`;
    case "words":
      return ` -x -a ${quoted(value.words.join(" "))}`;
  }
}

function commandLines({ name, flags, operands }: CommandWords): string[] {
  const within = `-n '__peft_at ${name}'`;
  const operandLine = operands.kind === "files" ? `${within} -F` : `${within} -f` +
    (operands.kind === "words" ? ` -a ${quoted(operands.words.join(" "))}` : "");
  return [
    operandLine,
    ...flags.map(({ name, help, value }: FlagWords) =>
      `${within} -l ${name.slice(2)}${valueOptions(value)} -d ${quoted(help)}`
    ),
  ];
}

/** The whole script: all is looked up in it, and nothing is started when it completes. */
export function fishScript({ tasks, commands }: Words): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  const named = (at: string, name: string, summary: string) =>
    `-n '__peft_at ${at}' -f -a ${quoted(name)} -d ${quoted(summary)}`;
  const lines = [
    ...tasks.map((name) => named("task", name, summaries.get(name) ?? "task")),
    ...commands.map(({ name, summary }) => named("peft", name, summary)),
    ...commands.flatMap(commandLines),
  ];
  return `# Completes deno task and ./denow task in fish. Written by: deno task peft completions fish

# Whether the words before the cursor are those after which $argv[1] is completed: task, peft or a
# command. Of deno only in this project's folder.
function __peft_at
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = task; or return 1
    string match -q '*denow' -- $words[1]; or test -e denow; or return 1
    set -l names (string match -v -- '-*' $words[3..-1])
    set -q names[1]; or set names task
    set -q names[2]; and test $names[1] = peft; and set -e names[1]
    test $names[1] = $argv[1]
end

# Loads what fish has for deno: it would be loaded later, and take the place of what follows.
complete -C 'deno ' >/dev/null

for program in deno denow
${lines.map((line) => `    complete -c $program ${line}`).join("\n")}
end
`;
}
