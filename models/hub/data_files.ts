/** Which repository a data set's name means, and which of its files are its parts. */
import { chooseTable, type ChosenFiles } from "../data/choose.ts";
import { classNameFiles } from "../data/class_names.ts";
import { extensionOf, isTable } from "../data/kind.ts";
import { type Remedy, UserError } from "../errors.ts";
import type { Repository } from "./repository.ts";

/** A repository, and the file or folder in it where one was named. */
export interface HubData {
  repository: Repository;
  path?: string;
}

/** The files of a choice, part after part. */
export const filesOf = ({ train, validation = [], test = [] }: ChosenFiles) => [
  ...train,
  ...validation,
  ...test,
];

/** Files beside a choice that may name its classes; a Parquet file names them itself. */
export const besides = ({ train: [first] }: ChosenFiles, all: readonly string[]) =>
  extensionOf(first) === ".parquet" ? [] : classNameFiles.filter((name) => all.includes(name));

/** Files that name the classes are small; a larger one, in bytes, is something else. */
export const mostBeside = 10e6;

/** What can be done where a data set cannot be had. */
export const otherDataset: Remedy = { kind: "otherDataset" };

/** Splits `org/name/path/in/it.csv` into repository and path; undefined where it is no name on the hub. */
export function parseHubName(name: string): HubData | undefined {
  const match = name.match(/^([\w.-]+\/[\w.-]+)(?:\/(.+))?$/);
  if (match === null || name.startsWith(".") || /\/\.+$/.test(match[1])) return undefined;
  // `data/emotions.csv` is a file that is not there, not a repository.
  if (match[2] === undefined && isTable(name)) return undefined;
  return { repository: { type: "dataset", name: match[1] }, path: match[2] };
}

/**
 * The files of a data set among a repository's paths: of its folder or file where one was named, and of its training
 * part alone unless all are wanted. Throws a UserError where there is none.
 */
export function chooseOnHub(
  { repository, path }: HubData,
  paths: readonly string[],
  allParts: boolean,
): ChosenFiles {
  const chosen = (paths: readonly string[], where: string): ChosenFiles => {
    const all = chooseTable(paths, where);
    return allParts ? all : { train: all.train, notices: [] };
  };
  if (path === undefined) return chosen(paths, repository.name);
  if (paths.includes(path)) return { train: [path], notices: [] };
  const below = paths.filter((each) => each.startsWith(`${path}/`));
  if (below.some(isTable)) return chosen(below, `${repository.name}/${path}`);
  throw new UserError(
    `The data set ${repository.name} has no file ${path}; it has ${
      paths.filter(isTable).join(", ")
    }.`,
  );
}
