/** Which part of a data set a path names, by the words of Hugging Face's `datasets` ("repository structure"). */

export const partNames = ["train", "validation", "test"] as const;
export type PartName = typeof partNames[number];

/** Whether the validation and test parts that data come with are used, or their training part is split. */
export const splitBys = ["given", "ratio"] as const;
export type SplitBy = typeof splitBys[number];

const words: Record<PartName, string> = {
  train: "train|training",
  validation: "validation|valid|val|dev",
  test: "test|testing|eval|evaluation",
};

/** Stands in a table's name for the word of its part, so that `mine_train` and `mine_test` are of one name. */
const gap = "*";

interface Named {
  part: PartName;
  word: string;
  /** The text around the word, with a gap for it. */
  rest: string;
}

/** The part that a name tells; of several, train, else the last: `dev_test` is a test. */
function partIn(name: string): Named | undefined {
  for (const part of partNames) {
    const found = new RegExp(`(?<![a-z])(?:${words[part]})(?![a-z])`, "i").exec(name);
    if (found === null) continue;
    const after = name.slice(found.index + found[0].length);
    const later = part === "train" ? undefined : partIn(after);
    if (later) return { ...later, rest: `${name.slice(0, found.index)}${found[0]}${later.rest}` };
    return {
      part,
      word: found[0].toLowerCase(),
      rest: `${name.slice(0, found.index)}${gap}${after}`,
    };
  }
  return undefined;
}

export interface NamedPart {
  /** Undefined where the path names none, and so is the word that names it. */
  part?: PartName;
  word?: string;
  /** Whether a folder names it: all files in that are one table. */
  byFolder: boolean;
  /** The folder in which the parts of its data set lie. */
  scope: string;
  /** Its data set's name within the scope: what train, validation and test files of one have in common. */
  name: string;
  /** Whether the name is nothing but the part's, as `train.csv` and `test/0.csv` have it. */
  bare: boolean;
}

const describe = ({ part, word, rest }: Named, scope: string, byFolder: boolean): NamedPart => ({
  part,
  word,
  byFolder,
  scope,
  name: rest,
  // Signs and digits around a part's word make no name of their own.
  bare: !/\p{L}/u.test(rest),
});

/**
 * The part of a file in `folder` ("" for the top) whose name, without extension and shard number, is `stem`: told by the
 * stem, else by the innermost folder that tells one, of which all files are then one table.
 */
export function partOf(folder: string, stem: string): NamedPart {
  const named = partIn(stem);
  if (named) return describe(named, folder, false);
  const folders = folder === "" ? [] : folder.split("/");
  for (let at = folders.length - 1; at >= 0; at--) {
    const named = partIn(folders[at]);
    if (named) return describe(named, folders.slice(0, at).join("/"), true);
  }
  return { byFolder: false, scope: folder, name: stem, bare: true };
}
