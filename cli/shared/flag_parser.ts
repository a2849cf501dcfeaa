/** Flags in the project's style, for `deno task train` and the benchmarks: typed, told as sentences. */
import { runParser } from "@optique/core/facade";
import { formatMessage, lineBreak, type Message, text } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import type { ValueParser } from "@optique/core/valueparser";
import { messageOf } from "../../models/errors.ts";
import { parseText, parseWhole } from "./flag_values.ts";

type FlagName = `--${string}`;
/** Terms of the help page have 26 columns, as `--lora_target_modules LIST`; one longer still fits its line. */
type Metavar =
  | "N"
  | "X"
  | "LIST"
  | "RATE"
  | "TEXT"
  | "NAME"
  | "FOLDER"
  | "FILE"
  | "PATH"
  | "KIND"
  | "METHOD"
  | "WHERE";

/** A value parser of Optique from a function that throws a sentence. */
export function valueOf<T>(
  metavar: Metavar,
  parse: (text: string) => T,
  placeholder: T,
): ValueParser<"sync", T> {
  return {
    mode: "sync",
    metavar,
    placeholder,
    parse(input) {
      try {
        return { success: true, value: parse(input) };
      } catch (error) {
        return { success: false, error: [text(messageOf(error))] };
      }
    },
    format: String,
  };
}

/**
 * An option that is undefined where it was not given; `shown` is the default that the help shows,
 * in parentheses. Planning applies the defaults: it wants to know what was asked for explicitly.
 */
export function flag<T>(
  name: FlagName,
  value: ValueParser<"sync", T>,
  help: string,
  shown: string,
) {
  const description = [text(`${help} (${shown})`)];
  return withDefault(option(name, value, { description }), undefined);
}

/** An option that may be given several times; none: an empty list. */
export function repeated<T>(
  name: FlagName,
  value: ValueParser<"sync", T>,
  help: string,
  shown: string,
) {
  return multiple(option(name, value, { description: [text(`${help} (${shown})`)] }));
}

export function whole(name: FlagName, help: string, shown: string, least: number, most?: number) {
  return flag(name, valueOf("N", (input) => parseWhole(input, least, most), least), help, shown);
}

export function switchOn(name: FlagName, help: string) {
  return option(name, { description: [text(help)] });
}

/** Operands, any number of them, each one text. */
export function texts(help: string, metavar: Metavar = "TEXT") {
  const each = argument(valueOf(metavar, parseText, ""), { description: [text(help)] });
  const parse: typeof each.parse = (context) => {
    const [next = ""] = context.buffer;
    // Optique takes a flag for one only where its name has no underscore; a mistyped one would be a text.
    if (!context.optionsTerminated && /^--[a-z]\w*(=|$)/i.test(next)) {
      return { success: false, consumed: 0, error: [text(`${next} is no flag.`)] };
    }
    return each.parse(context);
  };
  return multiple({ ...each, parse });
}

/** `--batch-size=8` and `--batch_size=8` are the same flag. */
function toSnakeCase(argument: string): string {
  const [, name, rest] = /^--([a-z][\w-]*)(=.*)?$/is.exec(argument) ?? [];
  return name === undefined ? argument : `--${name.replaceAll("-", "_")}${rest ?? ""}`;
}

/** What follows `--` is no flag, and stays as it is. */
export function flagsInSnakeCase(args: readonly string[]): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return [...args.slice(0, end).map(toSnakeCase), ...args.slice(end)];
}

/** What a command line says: its flags, or that help is wanted, or a sentence on what is wrong. */
export type Parsed<Flags> =
  | { kind: "flags"; flags: Flags }
  | { kind: "help"; text: string }
  | { kind: "error"; message: string };

/** Carries the outcome out of Optique's callbacks, which are typed never to return. */
class Stop extends Error {
  constructor(readonly outcome: Exclude<Parsed<never>, { kind: "flags" }>) {
    super("The command line asks for no run.");
  }
}

export interface CommandHelp {
  /** As it is typed, e.g. `deno task train`. */
  command: string;
  brief: string;
  /** Command lines, without `deno task`. */
  examples: readonly string[];
  /** The operands, where there are any: `BEFORE AFTER`. */
  operands?: string;
}

/** Reads a command line; never throws for what a user typed, and never exits. */
export function parseCommand<Flags, State>(
  parser: Parser<"sync", Flags, State>,
  args: readonly string[],
  { command, brief, examples, operands }: CommandHelp,
): Parsed<Flags> {
  const help: string[] = [];
  const exampleLines: Message = examples.flatMap((line) => [
    text(`deno task ${line}`),
    lineBreak(),
  ]).slice(0, -1);
  try {
    const flags = runParser(parser, command, flagsInSnakeCase(args), {
      brief: [text(brief)],
      help: {
        option: { names: ["--help", "-h"] },
        onShow: () => {
          throw new Stop({ kind: "help", text: help.join("\n") });
        },
      },
      usageLine: [{ type: "literal", value: operands ? `[flags] ${operands}` : "[flags]" }],
      examples: exampleLines,
      footer: [text("Flags may also be written with hyphens: --batch-size 8.")],
      maxWidth: 80,
      termWidth: 26,
      aboveError: "none",
      stdout: (line) => help.push(line),
      stderr: () => {},
      onError: (_exitCode, error) => {
        const sentence = formatMessage(error, { quotes: false }).replace(/\s+/g, " ").trim();
        throw new Stop({ kind: "error", message: sentence });
      },
    });
    return { kind: "flags", flags };
  } catch (error) {
    if (error instanceof Stop) return error.outcome;
    throw error;
  }
}
