/** One spelling for one label: what a table's values of a label column mean. */

export const labelCases = ["keep", "fold"] as const;
/** Whether labels that differ in case or in inner blanks alone are classes of their own, or one. */
export type LabelCase = typeof labelCases[number];

/** Spellings of labels that look like one, with their rows, the most frequent first. */
export type LookAlikes = { label: string; rows: number }[];

export interface NormalLabels {
  /** Row by row; "" where there is none. */
  labels: string[];
  /** What was read as missing though it is a text, and in how many rows. */
  missing: Map<string, number>;
  /** Groups of labels that differ in case or in inner blanks alone; where they were folded they are one class now. */
  lookAlikes: LookAlikes[];
}

/** What pandas' `read_csv` reads as missing, by value: its `na_values`, but for those of numbers alone. */
const missingWords = new Set(
  "nan NaN -nan -NaN null NULL None NA N/A n/a <NA> #N/A #NA".split(" ").concat("#N/A N/A"),
);

/** Blanks of all scripts, and what takes no room: zero-width spaces, joiners, direction marks, soft hyphens. */
const invisible =
  "\\s\\u0085\\u00AD\\u180E\\u200B-\\u200F\\u202A-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF";
const unseen = new RegExp(`[${invisible}]`);
const runs = new RegExp(`[${invisible}]+`, "g");
const nothing = new RegExp(`^[${invisible}]*$`);

/** Without what is invisible at either end; by characters, since an expression takes the square of a long run's time. */
function stripped(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && unseen.test(text[from])) from++;
  while (to > from && unseen.test(text[to - 1])) to--;
  return text.slice(from, to);
}

/** Unicode's composed form (NFC), without what is invisible at either end. */
export const normalLabel = (label: string): string => stripped(label.normalize("NFC"));

/** Whether a label says that there is none. */
export function isMissingLabel(label: string): boolean {
  const normal = normalLabel(label);
  return normal === "" || missingWords.has(normal);
}

/** Whether a text has nothing to see. */
export const isBlank = (text: string): boolean => nothing.test(text);

/** What labels share that look like one. */
export const lookOf = (label: string): string =>
  label.normalize("NFKC").replace(runs, " ").toLowerCase();

/** Whole numbers, as pandas writes them: `2`, and where the column has gaps `2.0`. */
const wholeNumber = /^(-?\d+)(?:\.0*)?$/;

/** `2.0` → `2`, where all labels are whole numbers; digits are kept as they are, beyond what a number holds too. */
function withoutFractions(labels: readonly string[]): Map<string, string> {
  if (!labels.every((label) => wholeNumber.test(label))) return new Map();
  return new Map(labels.map((label) => {
    const [, digits] = wholeNumber.exec(label)!;
    return [label, label === digits ? label : digits.replace(/^-(0+)$/, "$1")];
  }));
}

/** The groups of labels that look like one, by their rows. */
function lookAlikesOf(rows: ReadonlyMap<string, number>): LookAlikes[] {
  const groups = Map.groupBy([...rows], ([label]) => lookOf(label));
  return [...groups.values()].filter((group) => group.length > 1).map((group) =>
    group.map(([label, rows]) => ({ label, rows })).sort((a, b) => b.rows - a.rows)
  );
}

/**
 * Brings a column of labels into one spelling: NFC, nothing invisible around; missing where that is empty or a word that
 * pandas reads so; `0.0` is `0` where all labels are whole numbers; with `fold`, labels that look alike are the most
 * frequent of them (of equals, the first).
 */
export function normalLabels(column: readonly string[], labelCase: LabelCase): NormalLabels {
  const spelling = new Map<string, string>();
  const missing = new Map<string, number>();
  const rows = new Map<string, number>();
  for (const value of column) {
    let label = spelling.get(value);
    if (label === undefined) spelling.set(value, label = normalLabel(value));
    if (missingWords.has(label)) missing.set(label, (missing.get(label) ?? 0) + 1);
    else if (label !== "") rows.set(label, (rows.get(label) ?? 0) + 1);
  }
  const whole = withoutFractions([...rows.keys()]);
  const lookAlikes = whole.size > 0 ? [] : lookAlikesOf(rows);
  const folded = new Map(
    labelCase === "keep"
      ? []
      : lookAlikes.flatMap((group) => group.map(({ label }) => [label, group[0].label] as const)),
  );
  const nameOf = (label: string) =>
    missingWords.has(label) ? "" : whole.get(label) ?? folded.get(label) ?? label;
  for (const [value, label] of spelling) spelling.set(value, nameOf(label));
  return { labels: column.map((value) => spelling.get(value)!), missing, lookAlikes };
}
