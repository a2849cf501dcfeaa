/** The script for zsh, by its completion system's `_arguments`. */
import { shellQuoted } from "../shared/shell.ts";
import type { CommandWords, Value, Words } from "./words.ts";

/** A text within one of `_arguments`' specifications. */
const escaped = (text: string) => text.replace(/[\\:[\]]/g, "\\$&");

function action(value: Value): string {
  switch (value.kind) {
    case "words":
      return `(${value.words.join(" ")})`;
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    default:
      return "()";
  }
}

function commandFunction({ name, flags, operands }: CommandWords): string {
  const specs = [
    ...flags.map(({ name, help, value }) =>
      value.kind === "none"
        ? `${name}[${escaped(help)}]`
        : `${name}=[${escaped(help)}]:value:${action(value)}`
    ),
    ...(operands.kind === "none" ? [] : [`*:operand:${action(operands)}`]),
  ];
  return `_peft_${name}() {
  _arguments \\
${specs.map((spec) => `    ${shellQuoted(spec)}`).join(" \\\n")}
}`;
}

/** Names and what they are, as `_describe` takes them. */
const described = (rows: [string, string][]) =>
  rows.map(([name, help]) =>
    `    ${shellQuoted(`${name.replaceAll(":", "\\:")}:${escaped(help)}`)}`
  ).join("\n");

/** The whole script: all is looked up in it, and nothing is started when it completes. */
export function zshScript({ tasks, commands }: Words): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  return `# Completes deno task and ./denow task in zsh. Written by: deno task peft completions zsh

${commands.map(commandFunction).join("\n\n")}

# Fails where the line is none of ours.
_peft_complete() {
  local i=3
  local -a names
  [[ CURRENT -ge 3 && $words[2] == task ]] || return 1
  while [[ i -lt CURRENT && $words[i] == -* ]]; do (( i++ )); done
  if [[ i -eq CURRENT ]]; then
    names=(
${described(tasks.map((name) => [name, summaries.get(name) ?? "task"]))}
    )
    _describe task names
    return 0
  fi
  if [[ $words[i] == peft ]]; then
    (( i++ ))
    if [[ i -eq CURRENT ]]; then
      names=(
${described(commands.map(({ name, summary }) => [name, summary]))}
      )
      _describe command names
      return 0
    fi
  fi
  (( $+functions[_peft_$words[i]] )) || return 1 # a task that is no command
  shift $(( i - 1 )) words
  (( CURRENT -= i - 1 ))
  _peft_$words[1]
  return 0
}

# What completed deno before goes on doing so, but for this project's tasks in its folder.
if [[ $_comps[deno] != _peft_deno ]]; then
  typeset -g _peft_earlier=$_comps[deno]
fi

_peft_deno() {
  [[ -e denow ]] && _peft_complete && return
  if [[ -n $_peft_earlier ]]; then $_peft_earlier "$@"; else _default; fi
}

_peft_denow() {
  _peft_complete || _default
}

compdef _peft_deno deno
compdef _peft_denow denow
`;
}
