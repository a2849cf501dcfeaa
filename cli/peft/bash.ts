/** The script for bash 4.4 and later. */
import { shellQuoted } from "../shared/shell.ts";
import type { CommandWords, Value, Words } from "./words.ts";

/** The arm of a `case` that says what may stand in a place. */
function arm(place: string, value: Value): string {
  const list = value.kind === "words" ? ` list=${shellQuoted(value.words.join(" "))}` : "";
  return `    ${shellQuoted(place)}) takes=${value.kind}${list} ;;`;
}

function arms({ name, flags, operands }: CommandWords): string[] {
  return [
    arm(`${name} --`, { kind: "words", words: flags.map((flag) => flag.name) }),
    arm(`${name} `, operands),
    ...flags.filter(({ value }) => value.kind !== "none")
      .map((flag) => arm(`${name} ${flag.name}`, flag.value)),
  ];
}

/** The whole script: all is looked up in it, and nothing is started when it completes. */
export function bashScript({ tasks, commands }: Words): string {
  const names = commands.map(({ name }) => name);
  return `# Completes deno task and ./denow task in bash. Written by: deno task peft completions bash

# What may stand at "COMMAND FLAG", "COMMAND --" (flags) or "COMMAND " (operands): sets takes (text,
# files, folders, words; none after a switch and after what is unknown) and list.
_peft_place() {
  takes=none list=
  case $1 in
    'task') takes=words list=${shellQuoted(tasks.join(" "))} ;;
    'peft') takes=words list=${shellQuoted(names.join(" "))} ;;
${commands.flatMap(arms).join("\n")}
  esac
}

# Sets COMPREPLY; fails where the line is none of ours. Words are parted at spaces alone: bash parts
# them at = and : too.
_peft_complete() {
  local words line=\${COMP_LINE:0:COMP_POINT} i=2 last cur flag takes list done=
  IFS=$' \\t' read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  last=$(( \${#words[@]} - 1 )) cur=\${words[-1]}
  [[ $last -ge 2 && \${words[1]} == task ]] || return 1
  while [[ $i -lt $last && \${words[i]} == -* ]]; do i=$(( i + 1 )); done
  [[ $i -lt $last && \${words[i]} == peft ]] && i=$(( i + 1 ))
  if [[ $i -eq $last ]]; then
    _peft_place "\${words[i-1]/#-*/task}"
  elif ! _peft_place "\${words[i]} --" || [[ $takes == none ]]; then
    return 1 # a task that is no command
  else
    flag=\${words[last-1]}
    if [[ $cur == --*=* ]]; then
      flag=\${cur%%=*} done=\${cur%%=*}=
    elif [[ $cur == -* ]]; then
      flag=--
    fi
    [[ $flag == --?* ]] && flag=--$(printf %s "\${flag#--}" | tr - _)
    _peft_place "\${words[i]} $flag"
    [[ $takes == none && -z $done ]] && _peft_place "\${words[i]} "
  fi
  cur=\${cur#"$done"}
  compopt +o default +o bashdefault 2>/dev/null
  COMPREPLY=()
  case $takes in
    words) mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur") ;;
    files) compopt -o default 2>/dev/null ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
  esac
  # bash puts back what stands before the last : or = that parts words.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}")
  fi
  return 0
}

# What completed deno before goes on doing so, but for this project's tasks in its folder.
if [[ $(complete -p deno 2>/dev/null) != *_peft_deno* ]]; then
  if ! complete -p deno >/dev/null 2>&1 && declare -F _completion_loader >/dev/null; then
    _completion_loader deno
  fi
  _peft_earlier=
  [[ $(complete -p deno 2>/dev/null) =~ -F\\ ([^ ]+) ]] && _peft_earlier=\${BASH_REMATCH[1]}
fi

_peft_deno() {
  [[ -e denow ]] && _peft_complete && return
  [[ -n $_peft_earlier ]] && "$_peft_earlier" "$@"
}

complete -o bashdefault -o default -F _peft_deno deno
complete -o bashdefault -o default -F _peft_complete denow
`;
}
