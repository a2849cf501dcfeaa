/** Where text goes: a terminal of some width, or a pipe that wants plain lines. */
import { harmless, obeyed } from "../../models/errors.ts";
import { redact } from "../../models/host/secrets.ts";
import { systemReason } from "../../models/host/system_error.ts";

export { harmless, obeyed } from "../../models/errors.ts";

export interface Output {
  /** Never throws: what cannot be written is no reason to end what is under way. */
  write(text: string): void;
  /** Whether something was lost, as on a full disk; not where a reader has left, as `head` does. */
  readonly lost?: boolean;
  /** Whether a pipe that was written to has lost its reader. */
  closed?(): boolean;
  /** Whether lines can be redrawn. */
  terminal: boolean;
  color: boolean;
  /** Columns now; the window may change between two calls. */
  columns(): number;
}

function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined; // not permitted: the same as not set
  }
}

/** Colours: never with NO_COLOR (no-color.org), always with FORCE_COLOR, else on a terminal. */
export function wantsColor(
  terminal: boolean,
  environment: (name: string) => string | undefined,
): boolean {
  if (environment("NO_COLOR")) return false;
  if (environment("FORCE_COLOR")) return environment("FORCE_COLOR") !== "0";
  return terminal;
}

function columnsOfTerminal(): number {
  try {
    const { columns } = Deno.consoleSize();
    if (columns > 0) return columns;
  } catch {
    // no terminal
  }
  const given = Number(variable("COLUMNS"));
  return Number.isInteger(given) && given > 0 ? given : 80;
}

type Stream = Pick<typeof Deno.stdout, "writeSync">;

function writeAll(stream: Stream, text: string): void {
  const bytes = new TextEncoder().encode(redact(text));
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}

/** Says once, where there is still somewhere to say it, that standard output takes nothing. */
function sayLost(error: unknown): void {
  const reason = systemReason(error) ?? String(error);
  try {
    writeAll(
      Deno.stderr,
      `Cannot write to standard output: ${reason}. The command goes on and saves its files, ` +
        `but it will end with exit code 1.\n`,
    );
  } catch {
    // nowhere left to say it
  }
}

/** What this program itself tells a terminal, to begin its line again, and colours; else what no text needs. */
const commands =
  // deno-lint-ignore no-control-regex
  /(\r\x1b\[K)|(\x1b\[(?:0|1|2|31|32|33)m)|\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text in which only what this program itself writes commands a terminal: whatever else a file, a name or a server holds
 * is shown as JSON writes it, so that JSON means what it meant.
 */
export function tamed(
  text: string,
  { terminal, color }: Pick<Output, "terminal" | "color">,
): string {
  return text.replace(commands, (part, clear?: string, colour?: string) => {
    const isOurs = clear !== undefined ? terminal : colour !== undefined ? color : part === "\r\n";
    return isOurs ? part : harmless(part);
  });
}

/** Standard output or standard error; see {@link tamed}. */
export function standardOutput(name: "stdout" | "stderr"): Output {
  const stream = name === "stdout" ? Deno.stdout : Deno.stderr;
  const terminal = stream.isTerminal() && variable("TERM") !== "dumb";
  const color = wantsColor(terminal, variable);
  let lost = false;
  let closed = false;
  return {
    write(text) {
      try {
        writeAll(stream, tamed(text, { terminal, color }));
      } catch (error) {
        // `… | head` closes the pipe: training goes on, nobody reads.
        if (error instanceof Deno.errors.BrokenPipe) closed = true;
        if (closed || lost) return;
        lost = true;
        if (name === "stdout") sayLost(error);
      }
    },
    get lost() {
      return lost;
    },
    closed: () => closed,
    terminal,
    color,
    columns: columnsOfTerminal,
  };
}

const codes = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33" } as const;

/** Text in a colour where the output wants colours. */
export function paint(output: Output, color: keyof typeof codes, text: string): string {
  return output.color ? `\x1b[${codes[color]}m${text}\x1b[0m` : text;
}

/** A document as JSON whose every character a terminal shows; a parser reads the same. */
export const jsonText = (document: unknown) =>
  JSON.stringify(document, null, 2).replace(
    obeyed,
    (each) => each === "\n" ? each : harmless(each),
  );

/** Breaks a text into lines of at most `width` characters, at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

/** A notice that cannot be overlooked: a block of its own, ruled above and below. */
export function renderNotice(output: Output, text: string): string {
  const width = Math.max(20, Math.min(output.columns(), 80) - 1);
  const rule = paint(output, "yellow", "!".repeat(width));
  const lines = wrap(text, width - 3)
    .map((line) => paint(output, "bold", `!  ${harmless(line)}`));
  return `\n${[rule, ...lines, rule].join("\n")}\n\n`;
}
