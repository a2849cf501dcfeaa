/**
 * `deno task docs:lines`: a link to lines of a source, [path#L1-L2](../path#L1-L2), stands above a quotation of them
 * in docs/inside-peft.md. This finds each quotation in its source and writes the numbers that it has now.
 */

/** A link to lines, an empty line, and what they say. */
const quoted =
  /\[([\w./]+)#L\d+(?:-L\d+)?\]\(\.\.\/[\w./]+#L\d+(?:-L\d+)?\)([^\n]*\n\n```\w*\n([\s\S]*?)\n```)/g;

/** The line of the first of `wanted` in a source, from 1, however far both are indented. Throws where it is not once there. */
function lineOf(wanted: string[], lines: string[], path: string): number {
  const bare = (text: string[]) => text.map((line) => line.trim()).join("\n");
  const text = bare(wanted);
  const found = lines.flatMap((_, at) =>
    bare(lines.slice(at, at + wanted.length)) === text ? [at + 1] : []
  );
  if (found.length === 1) return found[0];
  const times = found.length === 0 ? "nowhere" : `${found.length} times`;
  throw new Error(
    `${path} has these lines ${times}; quote what is in it once:\n${wanted.join("\n")}`,
  );
}

/** The document with the numbers that the quotations have in the sources, which `read` gives by path. */
export async function withLines(
  document: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of document.matchAll(quoted)) {
    const [whole, path, rest, quotation] = match;
    const wanted = quotation.split("\n");
    const first = lineOf(wanted, (await read(path)).split("\n"), path);
    const place = wanted.length === 1 ? `L${first}` : `L${first}-L${first + wanted.length - 1}`;
    parts.push(document.slice(end, match.index), `[${path}#${place}](../${path}#${place})${rest}`);
    end = match.index + whole.length;
  }
  return [...parts, document.slice(end)].join("");
}

if (import.meta.main) {
  const document = new URL("inside-peft.md", import.meta.url);
  const before = await Deno.readTextFile(document);
  const after = await withLines(
    before,
    (path) => Deno.readTextFile(new URL(`../${path}`, import.meta.url)),
  );
  if (after !== before) await Deno.writeTextFile(document, after);
  console.log(
    `docs/inside-peft.md ${after === before ? "is up to date" : "has new line numbers"}.`,
  );
}
