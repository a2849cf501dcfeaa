/** Names for the columns of a first line, as pandas gives them. */

/**
 * Blanks go; a column without a name is `Unnamed: 2`, by its place from 0, and one whose name was there before is
 * `name.1`, `name.2`, as in pandas' `read_csv`.
 */
export function columnNames(fields: readonly string[]): string[] {
  const names = fields.map((field) => field.trim());
  const taken = new Set(names);
  const seen = new Map<string, number>();
  const named = names.map((name) => {
    let number = seen.get(name) ?? 0;
    let unique = name;
    if (number > 0) { do unique = `${name}.${number++}`; while (taken.has(unique)); }
    else number = 1;
    seen.set(name, number);
    taken.add(unique);
    return unique;
  });
  return names.map((name, place) => {
    if (name !== "") return named[place];
    let unique = `Unnamed: ${place}`;
    for (let number = 1; taken.has(unique); number++) unique = `Unnamed: ${place}.${number}`;
    return unique;
  });
}
