/**
 * Where an MPI library lies: Deno permits a library by its path, and so does not leave the search to the system's
 * loader. The folders are the loader's.
 */
import { dirname, isAbsolute, join, resolve } from "node:path";
import { UserError } from "../../models/errors.ts";
import type { Launcher } from "./launcher.ts";

type Read = (name: string) => string | undefined;

/** What is read of the disk. */
export interface Disk {
  isFile(path: string): boolean;
  /** Undefined where it cannot be read. */
  text(path: string): string | undefined;
  /** Names in a folder, none where it cannot be read. */
  names(path: string): string[];
}

/** The path of the library that fits the launcher. Throws a UserError where there is none. */
export function libraryOf(launcher: Launcher, read: Read, disk: Disk = realDisk): string {
  const named = read("PEFT_MPI_LIBRARY");
  if (named) {
    const path = resolve(named);
    if (!isPermissible(path)) {
      throw new UserError(
        `PEFT_MPI_LIBRARY names ${path}, and a path with blanks, commas or quotes cannot be ` +
          `permitted to Deno: name a link to the file.`,
      );
    }
    if (disk.isFile(path)) return path;
    throw new UserError(
      `PEFT_MPI_LIBRARY names ${path}, where there is no file: give the path of libmpi's file.`,
    );
  }
  const folders = libraryFolders(read("LD_LIBRARY_PATH"), disk);
  for (const name of launcher.libraries) {
    for (const folder of folders) {
      if (disk.isFile(join(folder, name))) return join(folder, name);
    }
  }
  throw new UserError(
    `${launcher.name} started this, but none of its libraries is where the system looks for ` +
      `them (${launcher.libraries.join(", ")}). On Debian or Ubuntu: apt-get install ` +
      `${launcher.package}; on a cluster load its module, or set PEFT_MPI_LIBRARY to the file's path.`,
  );
}

/** Whether a task's shell and Deno's list of paths leave a path in one piece. */
const isPermissible = (path: string) => !/[\s,"'$]/.test(path);

/** The loader's folders, in its order. */
function libraryFolders(searchPath: string | undefined, disk: Disk): string[] {
  const first = (searchPath ?? "").split(":").filter(isAbsolute);
  const usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
  const all = [...first, ...configured("/etc/ld.so.conf", disk), ...usual];
  return [...new Set(all)].filter(isPermissible);
}

/** Those that a configuration of the loader names, and the files that it includes. */
function configured(path: string, disk: Disk): string[] {
  const lines = (disk.text(path) ?? "").split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines.flatMap((line) => {
    const pattern = /^include\s+(\S+)$/.exec(line)?.[1];
    if (pattern === undefined) return isAbsolute(line) ? [line] : [];
    const whole = isAbsolute(pattern) ? pattern : join(dirname(path), pattern);
    const folder = dirname(whole);
    const ending = whole.slice(folder.length + 1).replace("*", "");
    const included = disk.names(folder).filter((name) => name.endsWith(ending)).sort();
    return included.flatMap((name) => configured(join(folder, name), disk));
  });
}

const orElse = <Value>(make: () => Value, otherwise: Value): Value => {
  try {
    return make();
  } catch {
    return otherwise;
  }
};

const realDisk: Disk = {
  isFile: (path) => orElse(() => Deno.statSync(path).isFile, false),
  text: (path) => orElse<string | undefined>(() => Deno.readTextFileSync(path), undefined),
  names: (path) => orElse(() => [...Deno.readDirSync(path)].map(({ name }) => name), []),
};
