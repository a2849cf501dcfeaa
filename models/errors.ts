/** Mistakes that a user can put right, as facts: cli/shared/advice.ts says them in the words of the flags. */

/** The way out of a mistake, which each program phrases for itself: flags here, buttons in a page. */
export type Remedy =
  /** Name a model that can be had: a folder with a model's files, or the built-in one. */
  | { kind: "otherModel" }
  /** Name this model, once it is there. */
  | { kind: "useModel"; name: string }
  /** Name a file of a known format, a folder with one, or take the built-in sample. */
  | { kind: "otherDataset" }
  /** Name one data set of several. */
  | { kind: "chooseDataset"; example: string }
  /** Split the training part, and leave the data's other parts alone. */
  | { kind: "trainingPartAlone" }
  /** Say which column holds the texts, or the labels. */
  | { kind: "nameColumn"; column: "text" | "label" }
  /** Say in which encoding a text is; `likely` as far as its bytes tell. */
  | { kind: "nameEncoding"; likely?: string }
  /** Read quotes as plain characters, which gives so many rows. */
  | { kind: "plainQuotes"; rows: number }
  /** Have one text and one label a row, or name other columns. */
  | { kind: "otherColumns" }
  /** Use no limit on the rows, or one that is not below this. */
  | { kind: "moreSamples"; least: number }
  /** Keep frozen weights in another type. */
  | { kind: "otherFrozenDtype" }
  /** Train with the settings that the run began with, or begin it anew. */
  | { kind: "sameRun" }
  /** Train at a lower rate than this. */
  | { kind: "lowerLearningRate"; rate: number }
  /** Write elsewhere, or make room where the disk is full. */
  | { kind: "otherPlace"; full: boolean };

/** Characters that a terminal or a page obeys instead of showing them. */
// deno-lint-ignore no-control-regex
export const obeyed = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Control characters, which a file may carry to the terminal, as JSON writes them. */
export function harmless(text: string): string {
  return text.replace(obeyed, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Characters of a message that quotes what may be of any length: of a longer one both ends are left. */
const longest = 2000;

function sentence(message: string): string {
  const text = harmless(message);
  return text.length <= longest ? text : `${text.slice(0, longest - 600)} … ${text.slice(-500)}`;
}

/**
 * A mistake that the user can put right: a wrong flag, an unreadable file, a model of another kind.
 * The message states facts, and what it quotes of files commands no terminal; `remedy` tells the way out where it depends on how the program is used.
 * A terminal shows no stack trace of it and ends with `exitCode`: 2 for wrong use of the command
 * line, 1 for everything else.
 */
export class UserError extends Error {
  readonly exitCode: number;
  readonly remedy?: Remedy;

  constructor(
    message: string,
    options: { exitCode?: number; cause?: unknown; remedy?: Remedy } = {},
  ) {
    super(sentence(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.exitCode = options.exitCode ?? 1;
    this.remedy = options.remedy;
  }
}

/** `1, 2 and 5 more`: so many items of a list as are worth a sentence's room. */
export function listed(items: readonly (string | number)[], most: number): string {
  const left = items.length - most;
  const named = items.slice(0, most).join(", ");
  return left > 0 ? `${named} and ${left} more` : named;
}

/** `1 row`, `2 rows`; `many` is the plural where an s does not make it, `format` writes the number. */
export function counted(
  count: number,
  one: string,
  many = `${one}s`,
  format: (count: number) => string = String,
): string {
  return `${format(count)} ${count === 1 ? one : many}`;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
