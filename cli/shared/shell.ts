/** Words and command lines as a shell takes them. */

/** A text as bash and zsh take it, in single quotes. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A word of a command line that is shown, in quotes where it needs them: single ones, or double ones on Windows. */
export function quoted(word: string, os: string = Deno.build.os): string {
  if (/^[\w./:@%+,=-]+$/.test(word)) return word;
  if (os !== "windows") return shellQuoted(word);
  return /^[\w./\\:@%+,=-]+$/.test(word) ? word : `"${word}"`;
}

/** The command that labels texts with what a folder holds. */
export const predictCommand = (folder: string): string =>
  `deno task predict --run ${quoted(folder)} "TEXT"`;
