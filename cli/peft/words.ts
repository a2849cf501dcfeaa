/** What a shell needs to know to complete a command line, asked of the parsers. */
import { formatMessage, type Message } from "@optique/core/message";
import { getDocPage, type Parser, suggestSync } from "@optique/core/parser";
import project from "../../deno.json" with { type: "json" };
import { type Command, commands } from "./commands.ts";

/** What may follow: nothing (a switch), one of some words, a path, or what no shell can guess. */
export type Value =
  | { kind: "none" | "text" | "files" | "folders" }
  | { kind: "words"; words: string[] };

export interface FlagWords {
  /** `--batch_size` */
  name: string;
  help: string;
  value: Value;
}

export interface CommandWords {
  name: string;
  summary: string;
  flags: FlagWords[];
  operands: Value;
}

/** All that is completed. */
export interface Words {
  /** The names of all tasks, those that are no commands too. */
  tasks: string[];
  commands: CommandWords[];
}

type AnyParser = Parser<"sync", unknown, unknown>;

/** Names are of columns, experiments, models or data sets: the latter two may be paths. */
const paths: Record<string, Value["kind"] & ("files" | "folders")> = {
  FOLDER: "folders",
  FILE: "files",
  PATH: "files",
  NAME: "files",
};

/** What follows a flag, or stands as an operand, whose value the help calls `metavar`. */
function valueAfter(parser: AnyParser, flag: string | undefined, metavar: string): Value {
  const words = suggestSync(parser, flag === undefined ? [""] : [flag, ""]).flatMap((
    suggestion,
  ) => suggestion.kind === "literal" && !suggestion.text.startsWith("-") ? [suggestion.text] : []);
  return words.length > 0 ? { kind: "words", words } : { kind: paths[metavar] ?? "text" };
}

const plain = (message: Message = []) => formatMessage(message, { quotes: false });

async function wordsOf([name, { summary, parser: load }]: [string, Command]) {
  const parser = await load();
  const found: CommandWords = { name, summary, flags: [], operands: { kind: "none" } };
  const entries = getDocPage(parser)?.sections.flatMap(({ entries }) => entries) ?? [];
  for (const { term, description } of entries) {
    if (term.type === "argument") found.operands = valueAfter(parser, undefined, term.metavar);
    if (term.type !== "option") continue;
    const [flag] = term.names;
    const value: Value = term.metavar === undefined
      ? { kind: "none" }
      : valueAfter(parser, flag, term.metavar);
    found.flags.push({ name: flag, help: plain(description), value });
  }
  found.flags.push({ name: "--help", help: "Show the flags", value: { kind: "none" } });
  return found;
}

/** Asks every command's parser. */
export async function allWords(): Promise<Words> {
  const found = await Promise.all(Object.entries<Command>(commands).map(wordsOf));
  const names = found.map(({ name }) => name);
  found.push({
    name: "help",
    summary: "Show a command's flags",
    flags: [],
    operands: { kind: "words", words: names },
  });
  return { tasks: Object.keys(project.tasks), commands: found };
}
