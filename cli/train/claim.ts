/** One program at a time trains into an experiment: it holds a lock, which the system takes back when it ends, however it ends. */
import { join } from "node:path";
import { messageOf, UserError } from "../../models/errors.ts";
import { systemReason } from "../../models/host/system_error.ts";

export interface Claim {
  /** Lets others in; synchronous, since the process may be ending. */
  release(): void;
}

/** Whether the lock was taken; undefined where the file system knows none, as some network drives. */
function tryLock(file: Deno.FsFile): boolean | undefined {
  try {
    return file.tryLockSync(true);
  } catch {
    return undefined;
  }
}

/**
 * Claims an experiment by a lock on the file `lock` in `folder`, a folder in it, which is made where it is missing. Throws a
 * UserError where another program holds it, or where nothing can be written there, before hours are spent. Synchronous, so
 * that no signal comes between the folder and the claim on it. `flags` are those that name another place.
 */
export function claim(
  experiment: string,
  folder: string,
  flags = { other: "--experiment", place: "--output_dir" },
): Claim {
  const path = join(folder, "lock");
  for (let attempt = 1;; attempt++) {
    let file: Deno.FsFile;
    try {
      Deno.mkdirSync(folder, { recursive: true });
      checkNoLinks(folder);
      file = Deno.openSync(path, { create: true, write: true });
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      // The program before has just removed the folder; not so often in a row.
      if (cause instanceof Deno.errors.NotFound && attempt < 100) continue;
      throw new UserError(
        `Cannot write in ${experiment}: ${
          systemReason(cause) ?? messageOf(cause)
        }. See ${flags.place}.`,
        { cause },
      );
    }
    if (tryLock(file) === false) {
      file.close();
      throw new UserError(
        `Another program is training into ${experiment}. Wait until it has ended, or take another ` +
          `${flags.other}.`,
      );
    }
    // The program before may have removed the file after it was opened here: a lock on it keeps nobody out.
    if (isAt(file, path)) return { release: () => file.close() };
    file.close();
  }
}

/**
 * Throws a UserError where the folder of unfinished work, or one in it, is a link, as a stranger's experiment may have it:
 * what is removed there when work is done would be removed elsewhere.
 */
function checkNoLinks(folder: string): void {
  const links = [...Deno.readDirSync(folder)].filter(({ isSymlink, name }) =>
    isSymlink && name !== "lock"
  );
  const paths = [folder, ...links.map(({ name }) => join(folder, name))];
  const link = paths.find((path) => Deno.lstatSync(path).isSymlink);
  if (link === undefined) return;
  throw new UserError(
    `${link} is a link, and what is unfinished is kept, and removed, in a folder of its own. Remove the link.`,
  );
}

/** Whether an open file is still the one of that name. */
function isAt(file: Deno.FsFile, path: string): boolean {
  try {
    const [open, named] = [file.statSync(), Deno.statSync(path)];
    return open.ino === named.ino && open.dev === named.dev;
  } catch {
    return false;
  }
}
