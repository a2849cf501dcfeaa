/** Where results go: `<output_dir>/<experiment>/<run>/`, numbered, whole or not at all. */
import { basename, join } from "node:path";
import { messageOf, UserError } from "../../models/errors.ts";
import { systemReason } from "../../models/host/system_error.ts";
import { writeErrorAt } from "../../models/host/write.ts";

/** Of two such names and a number a folder's name is made, for which systems take 255 bytes. */
const longestName = 80;

/** `boltuix/emotions-dataset` → `emotions`, `/data/My Tweets.csv` → `my-tweets`. */
export function shortName(name: string): string {
  const last = basename(name.replaceAll("\\", "/")).replace(/\.(parquet|csv|tsv|jsonl?|txt)$/i, "");
  const slug = last.toLowerCase().replace(/[^a-z0-9._]+/g, "-").slice(0, longestName)
    .replace(/^[-.]+|[-.]+$/g, "");
  return slug.replace(/(.)[-_]dataset$/, "$1") || "data";
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UserError(`${folder} is a file; results need a folder.`);
    }
    throw error;
  }
}

const cannotMake = (folder: string, cause: unknown) =>
  new UserError(
    `Cannot make the folder ${folder}: ${
      systemReason(cause) ?? messageOf(cause)
    }. See --output_dir.`,
    { cause },
  );

/** Makes the folder of all results. Throws a UserError where that cannot be, before hours are spent. */
export async function ensureFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    const isLink = await Deno.lstat(folder).then((info) => info.isSymlink, () => false);
    if (!isLink) throw cannotMake(folder, error);
    throw new UserError(`${folder} is a link that leads to no folder. See --output_dir.`, {
      cause: error,
    });
  }
}

/** Makes and returns a new folder such as `results/003-bert-base-uncased-emotions`. */
export async function newExperiment(
  outputDir: string,
  model: string,
  data: string,
): Promise<string> {
  const numbers = (await names(outputDir)).map((name) => /^(\d{3,})-/.exec(name)?.[1] ?? "0");
  await ensureFolder(outputDir);
  for (let number = Math.max(0, ...numbers.map(Number)) + 1;; number++) {
    const name = [String(number).padStart(3, "0"), shortName(model), shortName(data)].join("-");
    const folder = join(outputDir, name);
    try {
      // Fails where another process took the number. Synchronous, so that a signal's handler is told of the folder.
      Deno.mkdirSync(folder);
      return folder;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw cannotMake(folder, error);
    }
  }
}

/**
 * Refuses, before anything is trained, runs whose folders an experiment already has. Throws a
 * UserError (wrong use) that names them.
 */
export async function checkExperiment(
  folder: string,
  runs: readonly string[],
): Promise<void> {
  const present = new Set(await names(folder));
  const taken = runs.filter((run) => present.has(run));
  if (taken.length === 0) return;
  throw new UserError(
    `${folder} already has ${taken.join(", ")}. ` +
      `--overwrite replaces ${
        taken.length === 1 ? "it" : "them"
      }; another --experiment keeps both.`,
    { exitCode: 2 },
  );
}

/** Paths to remove if the program is interrupted: half-written folders. */
export type Unfinished = Set<string>;

/** `.lora-r8.<uuid>.tmp`, and `.old` for what is being replaced by it. */
const leftover = /^\.(.+)\.([0-9a-f-]{36})\.(tmp|old)$/;

const besideOf = (folder: string, id: string, suffix: "tmp" | "old") =>
  join(folder, "..", `.${basename(folder)}.${id}.${suffix}`);

/**
 * Fills a temporary folder beside `folder`, then renames it into place and returns what `fill`
 * returned. An older folder there is replaced only then; where the program is killed between the two renames, {@link mend}
 * brings back what is whole. When anything throws, the temporary folder is removed and the older one stays; a
 * WriteError then names `folder`.
 */
export async function writeFolderWhole<Result>(
  folder: string,
  unfinished: Unfinished,
  fill: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const id = crypto.randomUUID();
  const temporary = besideOf(folder, id, "tmp");
  const old = besideOf(folder, id, "old");
  unfinished.add(temporary);
  try {
    await Deno.mkdir(temporary, { recursive: true });
    const result = await fill(temporary);
    // From here to the new folder's place nothing is awaited: a signal's handler finds one of the two there.
    const replaces = renameIfThere(folder, old);
    try {
      Deno.renameSync(temporary, folder);
    } catch (error) {
      if (replaces) Deno.renameSync(old, folder);
      throw error;
    }
    if (replaces) await Deno.remove(old, { recursive: true });
    return result;
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw writeErrorAt(folder, error);
  } finally {
    unfinished.delete(temporary);
  }
}

function renameIfThere(from: string, to: string): boolean {
  try {
    Deno.renameSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Puts in order what a killed program left in a folder: half-written files and folders go; of a folder whose
 * replacement was under way, the new one takes its place, which was whole before the old one was moved. Nobody else may
 * be writing there, or, where `only` names what is mended, writing that.
 */
export async function mend(folder: string, only?: string): Promise<void> {
  const isMended = (name: string) => {
    const [, replaced] = leftover.exec(name) ?? [];
    return replaced !== undefined && (only ?? replaced) === replaced;
  };
  const present = new Set(await names(folder));
  for (const name of [...present].filter(isMended)) {
    const [, replaced, id, suffix] = leftover.exec(name) ?? [];
    if (suffix !== "old" || present.has(replaced) || /^\.\.?$/.test(replaced)) continue;
    const fresh = `.${replaced}.${id}.tmp`;
    await Deno.rename(join(folder, present.has(fresh) ? fresh : name), join(folder, replaced));
    present.add(replaced);
  }
  for (const name of await names(folder)) {
    if (isMended(name)) await Deno.remove(join(folder, name), { recursive: true });
  }
}

/** Removes what an interruption leaves half-written; synchronous, since the process is ending. */
export function removeUnfinished(unfinished: Unfinished): void {
  for (const path of unfinished) {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        Deno.removeSync(path, { recursive: true });
        break;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) break;
        // A file may have been added meanwhile by a write that was under way: again.
      }
    }
  }
}

/** Removes an experiment's folder when no run was finished in it; a folder with anything stays. */
export function removeIfEmpty(folder: string): void {
  try {
    Deno.removeSync(folder);
  } catch {
    // It holds finished runs, or is gone.
  }
}
