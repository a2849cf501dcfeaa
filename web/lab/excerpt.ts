/** Cuts what a formula's part points at out of a source: a function, and in it the lines that compute the part. */

/** Where something is computed: by what is written there, so that the place is found again when the source changes. */
export interface Place<Path extends string = string> {
  path: Path;
  /** What the function's first line holds, and no other line of the source. */
  block: string;
  /** What the lines to be marked hold; each is in the function. */
  marks: readonly string[];
}

export interface Line {
  /** From 1, in the source. */
  number: number;
  text: string;
  marked: boolean;
}

export interface Excerpt {
  path: string;
  /** Stretches of the function, between which lines are left out. */
  stretches: Line[][];
}

/** Functions up to so many lines are shown whole; of longer ones so many lines around each mark. */
const whole = 16;
const around = 2;

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Index of the line on which a block ends: the first with its indent that closes something and opens nothing. */
function endOf(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start]);
  const opens = (line: string) => /[{([]$/.test(line.replace(/\s*\/\/ .*$/, ""));
  const closes = (line: string) =>
    /^[\])}]/.test(line.trimStart()) && !opens(line) && indentOf(line) === indent;
  if (!opens(lines[start])) return start; // all on one line
  return lines.findIndex((line, index) => index > start && closes(line));
}

/**
 * The lines of a place in its source's text, outdented. Throws a sentence that names the source where its function or
 * a mark is not there, or its function is there twice.
 */
export function excerptOf(source: string, { path, block, marks }: Place): Excerpt {
  const lines = source.split("\n");
  const starts = lines.flatMap((line, index) => line.includes(block) ? [index] : []);
  if (starts.length !== 1) {
    throw new Error(`${path} has ${starts.length || "no"} lines with "${block}".`);
  }
  const [found] = starts;
  const start = lines[found - 1]?.startsWith("@compute") ? found - 1 : found;
  const end = endOf(lines, found);
  if (end < 0) throw new Error(`${path}: what begins with "${block}" has no end.`);
  const inside = lines.slice(start, end + 1);
  const missing = marks.find((mark) => !inside.some((line) => line.includes(mark)));
  if (missing !== undefined) throw new Error(`${path}: "${block}" has no line with "${missing}".`);
  const indent = indentOf(lines[found]);
  const all = inside.map((line, index): Line => ({
    number: start + index + 1,
    text: line.slice(Math.min(indent, indentOf(line))),
    marked: marks.some((mark) => line.includes(mark)),
  }));
  return { path, stretches: stretchesOf(all) };
}

/** The first lines, those around marks and the last; a single line between two stretches is not left out. */
function stretchesOf(lines: readonly Line[]): Line[][] {
  const near = (index: number) =>
    lines.length <= whole || index < 2 || index === lines.length - 1 ||
    lines.some(({ marked }, at) => marked && Math.abs(at - index) <= around);
  const kept = (index: number) =>
    near(index) || (index > 0 && index < lines.length - 1 && near(index - 1) && near(index + 1));
  const stretches: Line[][] = [];
  lines.forEach((line, index) => {
    if (!kept(index)) return;
    if (index === 0 || !kept(index - 1)) stretches.push([]);
    stretches.at(-1)!.push(line);
  });
  return stretches;
}
