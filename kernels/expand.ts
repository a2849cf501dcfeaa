/**
 * Unrolls WGSL text. WGSL has neither macros nor templates, and naga keeps indexed local arrays in
 * memory: where a kernel wants its tile in registers, loops over the tile must be written out. This
 * is the only place that generates kernel text. A source may hold these lines, nested as needed:
 *
 *     //: for i in 0..ROWS        repeats the block with $i = 0, 1, … (ends may be names or numbers)
 *     //: if NAME  …  //: else    keeps one of two blocks, by whether the value is other than 0
 *     //: end
 *
 * and `$name` anywhere stands for a value.
 */

type Values = Readonly<Record<string, number>>;

const directive = /^\s*\/\/: (for|if|else|end)\b\s*(.*)$/;

/** The text with its directives carried out. Throws, with the line, on an unknown name or an open block. */
export function expand(source: string, values: Values): string {
  const lines = source.split("\n");
  const output: string[] = [];
  const stopped = expandBlock(lines, 0, values, output);
  if (stopped < lines.length) {
    throw new Error(`expand: line ${stopped + 1}: block without a start.`);
  }
  return output.join("\n");
}

/** Expands from line `at` until an `else`, an `end` or the end of the text; returns where it stopped. */
function expandBlock(lines: string[], at: number, values: Values, output: string[]): number {
  while (at < lines.length) {
    const [, word, rest] = directive.exec(lines[at]) ?? [];
    if (word === "else" || word === "end") return at;
    if (word === undefined) {
      output.push(
        lines[at].replace(/\$([A-Za-z]+)/g, (_, name) => String(valueOf(name, values, at))),
      );
      at += 1;
    } else if (word === "if") {
      const chosen = valueOf(rest.trim(), values, at) !== 0;
      let end = expandBlock(lines, at + 1, values, chosen ? output : []);
      if (directive.exec(lines[end] ?? "")?.[1] === "else") {
        end = expandBlock(lines, end + 1, values, chosen ? [] : output);
      }
      at = afterEnd(lines, end, at);
    } else {
      const [, name, from, to] = /^(\w+) in (\w+)\.\.(\w+)$/.exec(rest.trim()) ?? [];
      if (name === undefined) {
        throw new Error(`expand: line ${at + 1}: cannot read "${lines[at]}".`);
      }
      let end = at + 1;
      const last = valueOf(to, values, at);
      for (let i = valueOf(from, values, at); i < last; i++) {
        end = expandBlock(lines, at + 1, { ...values, [name]: i }, output);
      }
      if (end === at + 1) end = expandBlock(lines, at + 1, { ...values, [name]: 0 }, []);
      at = afterEnd(lines, end, at);
    }
  }
  return at;
}

function afterEnd(lines: string[], end: number, start: number): number {
  if (directive.exec(lines[end] ?? "")?.[1] !== "end") {
    throw new Error(`expand: the block of line ${start + 1} has no end.`);
  }
  return end + 1;
}

function valueOf(name: string, values: Values, line: number): number {
  const value = /^\d+$/.test(name) ? Number(name) : values[name];
  if (value === undefined) throw new Error(`expand: line ${line + 1}: no value for "${name}".`);
  return value;
}
