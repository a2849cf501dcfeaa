/** Which tables of a folder or repository are its data set, by the paths alone. */
import { UserError } from "../errors.ts";
import { withoutGzip } from "../files/gzip.ts";
import { extensionOf, isHidden, isTable, otherFolder, tableExtensions } from "./kind.ts";
import { type NamedPart, partOf } from "./part_names.ts";

/** The files of a data set by its parts; each part's are the shards of one table, in their order. */
export interface ChosenFiles {
  train: string[];
  /** Undefined where no file is for it. */
  validation?: string[];
  test?: string[];
  /** Sentences on files that might have been for a part. */
  notices: string[];
}

interface Described extends NamedPart {
  path: string;
  /** The table that the shards are of, with its folder. */
  table: string;
  of: number;
  extension: string;
}

/** What a path like `data/train-00000-of-00002.parquet` tells. */
function describe(path: string): Described {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, path.length - name.length).replace(/\/$/, "");
  const unpacked = withoutGzip(name);
  const whole = unpacked.slice(0, unpacked.lastIndexOf("."));
  const shard = whole.match(/^(.*?)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?$/);
  const stem = shard?.[1] ?? whole;
  return {
    ...partOf(folder, stem),
    path,
    table: `${folder}/${stem}`,
    of: Number(shard?.[3] ?? 1),
    extension: extensionOf(name),
  };
}

const list = (tables: readonly { path: string }[]) =>
  tables.map(({ path }) => path).sort().join(", ");

/** Parquet goes before other formats of the same; where train has a format, it goes before that. */
function ofBestFormat(tables: readonly Described[], preferred?: string): Described[] {
  const order = [...(preferred === undefined ? [] : [preferred]), ...tableExtensions];
  const best = order.find((extension) => tables.some((table) => table.extension === extension));
  return tables.filter(({ extension }) => extension === best);
}

/** The paths of a part, in order. Throws a `UserError` where shards are missing. */
function pathsOf(tables: readonly Described[], where: string): string[] {
  for (const shards of Map.groupBy(tables, ({ table }) => table).values()) {
    if (shards.length === shards[0].of) continue;
    throw new UserError(
      `${where} holds ${shards.length} of ${shards[0].of} parts of its data: ${list(shards)}.`,
    );
  }
  return tables.map(({ path }) => path).sort();
}

/** The data set that a table belongs to. */
const setOf = ({ scope, name }: NamedPart) => `${scope}/${name}`;

/** Whether the files are one table: shards of one name, or all that lies in a part's folder. */
const areOne = (tables: readonly Described[]) =>
  new Set(tables.map((table) => table.byFolder ? setOf(table) : table.table)).size === 1;

/** `eval` means the test, unless there is one beside it: then it is for validation, or where that is there too nothing. */
function withEvaluation(tables: readonly Described[]): Described[] {
  const isEvaluation = ({ word }: Described) => word?.startsWith("eval") ?? false;
  const has = (set: string, part: "validation" | "test") =>
    tables.some((table) => setOf(table) === set && table.part === part && !isEvaluation(table));
  return tables.flatMap((table) => {
    if (!isEvaluation(table) || !has(setOf(table), "test")) return [table];
    return has(setOf(table), "validation") ? [] : [{ ...table, part: "validation" as const }];
  });
}

/** The files of a part that belong to the training data; or those that may, where that is not clear. */
function belonging(
  tables: readonly Described[],
  train: Described,
): { found: Described[]; left: Described[] } {
  const same = tables.filter((table) => setOf(table) === setOf(train));
  const beside = tables.filter(({ scope, bare, byFolder }) =>
    // A folder `test` beside a file that names no part may be of anything.
    scope === train.scope && (train.bare || bare) && (train.part !== undefined || !byFolder)
  );
  const found = same.length > 0 ? same : beside;
  const best = ofBestFormat(found, train.extension);
  return best.length === 0 || areOne(best) ? { found: best, left: [] } : { found: [], left: found };
}

/**
 * Chooses the tables of a data set among the paths of its folder or repository: the train split's, else one that
 * names no split; and those of its validation and test splits, where it has them. `eval` means the test, as Hugging Face's
 * `datasets` have it, unless a test is there beside it. Throws a `UserError` that lists what there is.
 */
export function chooseTable(paths: readonly string[], where: string): ChosenFiles {
  const shown = paths.filter((path) => !isHidden(path));
  const unpacked = (path: string) =>
    withoutGzip(path) !== path && shown.includes(withoutGzip(path));
  const tables = withEvaluation(
    shown.filter((path) => isTable(path) && !unpacked(path)).map(describe),
  );
  if (tables.length === 0) {
    throw otherFolder(shown, where) ?? new UserError(
      `${where} holds no data file (${tableExtensions.join(", ")}).`,
      { remedy: { kind: "otherDataset" } },
    );
  }
  const named = tables.filter(({ part }) => part === "train");
  const usable = ofBestFormat(
    named.length > 0 ? named : tables.filter(({ part }) => part === undefined),
  );
  if (usable.length === 0) {
    throw new UserError(
      `${where} holds no training data, only ${list(tables)}. Name the file to use.`,
    );
  }
  if (!areOne(usable)) {
    // A configuration is named by its folder, with all parts that lie there.
    const [{ scope, path, part }] = usable;
    const alone = scope !== "" && part !== undefined &&
      areOne(usable.filter((table) => table.scope === scope));
    throw new UserError(
      `${where} holds several data sets: ${list(usable)}.`,
      { remedy: { kind: "chooseDataset", example: `${where}/${alone ? scope : path}` } },
    );
  }
  const [train] = usable;
  const notices: string[] = [];
  const choose = (part: "validation" | "test") => {
    const { found, left } = belonging(tables.filter((table) => table.part === part), train);
    if (left.length > 0) {
      notices.push(
        `${where} holds several files that may be its ${part} data, and none of them is used: ` +
          `${list(left)}.`,
      );
    }
    return found.length === 0 ? undefined : pathsOf(found, where);
  };
  return {
    train: pathsOf(usable, where),
    validation: choose("validation"),
    test: choose("test"),
    notices,
  };
}

/**
 * Of the paths in a folder of this machine those that are looked at: it may lie among much else, so the files below are
 * looked at only where its own hold no training data, but for folders such as `test` beside a file of a train split.
 */
export function pathsInFolder(paths: readonly string[]): string[] {
  const open = paths.filter((path) => !/(^|\/)\./.test(path));
  const top = open.filter((path) => !path.includes("/"));
  const tables = top.filter(isTable).map(describe);
  const isTrain = ({ part }: Described) => part === "train";
  if (!tables.some((table) => isTrain(table) || table.part === undefined)) return open;
  if (!tables.some(isTrain)) return top;
  const besideTop = open.filter((path) => {
    const { byFolder, scope, part } = describe(path);
    return byFolder && scope === "" && part !== "train";
  });
  return [...top, ...besideTop];
}
