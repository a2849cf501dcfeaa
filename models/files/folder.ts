/** A folder of files, wherever it lies: on disk (models/host/files.ts) or in a browser's memory. */
import { UserError } from "../errors.ts";
import { blobSource, type ByteSource, bytesSource } from "./byte_source.ts";

export interface Folder {
  /** For messages: a path, or what a page calls it. */
  name: string;
  /** Names of the files in it, sorted; those in folders below as `data/train.csv`. */
  list(): Promise<string[]>;
  has(name: string): Promise<boolean>;
  /** Throws a UserError where there is no such file. The caller closes what it opens. */
  open(name: string): Promise<ByteSource>;
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A file's text, as UTF-8. */
  text(name: string): Promise<string>;
}

/** The name of a file in a folder, for messages. */
export function pathIn(folder: Pick<Folder, "name">, name: string): string {
  return `${folder.name.replace(/[\\/]+$/, "")}/${name}`;
}

/** A folder whose files are read whole by opening them. */
export function folderOf(
  { name, list, has, open }: Pick<Folder, "name" | "list" | "has" | "open">,
): Folder {
  const bytes = async (file: string): Promise<Uint8Array<ArrayBuffer>> => {
    const source = await open(file);
    try {
      return new Uint8Array(await source.slice(0));
    } finally {
      source.close?.();
    }
  };
  const text = async (file: string) => new TextDecoder().decode(await bytes(file));
  return { name, list, has, open, bytes, text };
}

/** Files by name that are in memory, or that a browser holds. */
export function memoryFolder(
  name: string,
  files: ReadonlyMap<string, Uint8Array | Blob>,
): Folder {
  return folderOf({
    name,
    list: () => Promise.resolve([...files.keys()].sort()),
    has: (file) => Promise.resolve(files.has(file)),
    open: (file) => {
      const content = files.get(file);
      const path = pathIn({ name }, file);
      if (content === undefined) return Promise.reject(new UserError(`There is no file ${path}.`));
      return Promise.resolve(
        content instanceof Blob ? blobSource(content, path) : bytesSource(content, path),
      );
    },
  });
}
