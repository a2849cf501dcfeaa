/** Which table of a folder or repository is its data set, by the paths alone. */
import { UserError } from "../errors.ts";
import { extensionOf, isHidden, isTable, otherFolder, tableExtensions } from "./kind.ts";

/** Folder, split and shards, as a path like `data/train-00000-of-00002.parquet` tells them. */
function describe(path: string) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, path.length - name.length).replace(/\/$/, "");
  const stem = name.slice(0, name.lastIndexOf("."));
  const shard = stem.match(/^(.*?)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?$/);
  const words = `${folder} ${shard?.[1] ?? stem}`.toLowerCase().split(/[^a-z]+/);
  const split = words.some((word) => word === "train" || word === "training")
    ? "train"
    : words.some((word) => /^(test|testing|valid|validation|val|dev|eval)$/.test(word))
    ? "other"
    : "unknown";
  return {
    path,
    folder,
    split,
    table: shard?.[1] ?? stem,
    of: Number(shard?.[3] ?? 1),
    extension: extensionOf(name),
  };
}

/**
 * Chooses the table of a data set among the paths of its folder or repository: the train split's,
 * else one that names no split; all shards of it. Parquet goes before other formats of the same.
 * Throws a `UserError` that lists what there is.
 */
export function chooseTable(paths: readonly string[], where: string): string[] {
  const shown = paths.filter((path) => !isHidden(path));
  const tables = shown.filter(isTable).map(describe);
  if (tables.length === 0) {
    throw otherFolder(shown, where) ?? new UserError(
      `${where} holds no data file (${tableExtensions.join(", ")}).`,
      { remedy: { kind: "otherDataset" } },
    );
  }
  const byFormat = ["train", "unknown"].flatMap((split) =>
    tableExtensions.map((extension) =>
      tables.filter((table) => table.split === split && table.extension === extension)
    )
  );
  const usable = byFormat.find((tables) => tables.length > 0);
  const list = (tables: { path: string }[]) => tables.map(({ path }) => path).sort().join(", ");
  if (usable === undefined) {
    throw new UserError(
      `${where} holds no training data, only ${list(tables)}. Name the file to use.`,
    );
  }
  if (new Set(usable.map(({ folder, table }) => `${folder}/${table}`)).size > 1) {
    throw new UserError(
      `${where} holds several data sets: ${list(usable)}.`,
      { remedy: { kind: "chooseDataset", example: `${where}/${usable[0].path}` } },
    );
  }
  if (usable.length !== usable[0].of) {
    throw new UserError(
      `${where} holds ${usable.length} of ${usable[0].of} parts of its data: ${list(usable)}.`,
    );
  }
  return usable.map(({ path }) => path).sort();
}
