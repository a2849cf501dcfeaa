/**
 * `deno task docs:commands README.md docs/using.md`: runs the commands that documents show with their output, and
 * says where what they print is no longer what stands there. A command is an indented line that starts with `$`; `…`
 * stands for any output. Times, free disk and the home folder are not compared. All run in one clone, in their order.
 */

export interface Shown {
  /** Line of the document, from 1. */
  line: number;
  command: string;
  /** Lines that it prints; `…` for any, also within one. */
  output: string[];
}

/** The commands of a document, in their order. */
export function shownCommands(document: string): Shown[] {
  const shown: Shown[] = [];
  let open = false;
  for (const [index, line] of document.split("\n").entries()) {
    const indented = line.startsWith("    ") && !line.startsWith("    ./denow ");
    const text = line.slice(4);
    const last = shown.at(-1);
    if (indented && text.startsWith("$ ")) {
      shown.push({ line: index + 1, command: text.slice(2), output: [] });
      open = true;
    } else if (open && last !== undefined && (indented || line === "")) {
      if (last.command.endsWith("\\")) last.command = last.command.slice(0, -1) + text.trim();
      else if (text !== "") last.output.push(text);
    } else open = false;
  }
  return shown;
}

const varying: [RegExp, string][] = [
  [/\b[\d.,]+ (GFLOP\/s|GB free)/g, "N $1"],
  [/\b(\d+m\d\ds|\d+h\d\dm|[\d.]+ ?(ms|s))\b\*?/g, "TIME"],
  [/\/\S*\/\.cache\//g, "/home/you/.cache/"],
  [/─+/g, "─"],
  [/\s+/g, " "],
];

const bare = (line: string) =>
  varying.reduce((text, [pattern, as]) => text.replace(pattern, as), line).trim();

function isAs(printed: string, shown: string): boolean {
  const parts = bare(shown).split("…");
  const text = bare(printed);
  if (parts.length === 1) return text === parts[0];
  let at = 0;
  for (const part of parts) {
    at = text.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return text.startsWith(parts[0]) && text.endsWith(parts.at(-1)!);
}

/** The shown lines that are not among the printed ones, in their order. */
export function missingLines(output: readonly string[], printed: readonly string[]): string[] {
  let from = 0;
  return output.filter((line) => {
    if (line === "…") return false;
    const found = printed.findIndex((each, at) => at >= from && isAs(each, line));
    if (found >= 0) from = found + 1;
    return found < 0;
  });
}

/** What the reader types shows that a terminal is needed, a prompt or Ctrl-C; or data are the reader's own. */
async function isByHand({ command, output }: Shown, folder: string): Promise<boolean> {
  if (output.some((line) => line.startsWith("> ") || line.startsWith("^C"))) return true;
  const [, data] = /--dataset (\S+)/.exec(command) ?? [];
  return data !== undefined && !await Deno.stat(`${folder}/${data}`).then(() => true, () => false);
}

async function run(command: string, folder: string): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", command],
    cwd: folder,
    env: { COLUMNS: "80", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split("\n");
  return [...decode(stdout), ...decode(stderr)];
}

/** Runs what a document shows; returns how many commands printed something else. */
async function check(path: string, folder: string): Promise<number> {
  let wrong = 0;
  for (const shown of shownCommands(await Deno.readTextFile(path))) {
    const where = `${path}:${shown.line}`;
    if (await isByHand(shown, folder)) {
      console.log(`by hand  ${where}  ${shown.command}`);
      continue;
    }
    const missing = missingLines(shown.output, await run(shown.command, folder));
    console.log(`${missing.length === 0 ? "as shown" : "CHANGED "} ${where}  ${shown.command}`);
    for (const line of missing) console.log(`         not printed: ${line}`);
    if (missing.length > 0) wrong++;
  }
  return wrong;
}

if (import.meta.main) {
  if (Deno.args.length === 0) {
    console.error("Name the documents: deno task docs:commands README.md docs/using.md");
    Deno.exit(2);
  }
  const folder = await Deno.makeTempDir();
  let wrong = 0;
  try {
    // What is committed: a document's commands leave nothing here.
    await run(`git clone -q "${Deno.cwd()}" "${folder}/clone"`, Deno.cwd());
    for (const path of Deno.args) wrong += await check(path, `${folder}/clone`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(wrong === 0 ? 0 : 1);
}
