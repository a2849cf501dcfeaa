/** A model as files that the reader chooses or drops: a folder, or the files of one together. */
import { type Base, readBase } from "./base.ts";

/** A file's path, within the folder that was chosen where one was. */
export const pathOf = ({ webkitRelativePath, name }: File) => webkitRelativePath || name;

/**
 * Reads the model among files: those beside the config.json that lies highest. Throws a UserError where there is none, or
 * one that cannot be used.
 */
export async function localModel(files: readonly File[]): Promise<Base> {
  const depth = (path: string) => path.split("/").length;
  const paths = files.map(pathOf);
  const [config = ""] = paths.filter((path) => /(^|\/)config\.json$/.test(path))
    .sort((one, other) => depth(one) - depth(other));
  const folder = config.slice(0, config.lastIndexOf("/") + 1);
  const beside = files.filter((file) =>
    pathOf(file).startsWith(folder) && depth(pathOf(file)) === depth(`${folder}x`)
  );
  const name = folder.replace(/\/$/, "").split("/").at(-1) || "my-model";
  return await readBase(
    { name, origin: "files" },
    new Map(beside.map((file) => [file.name, file])),
  );
}
