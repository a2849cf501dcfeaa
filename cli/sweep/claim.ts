/**
 * Which process trains a task, where several machines share a folder: it holds a numbered file that only one process can
 * create, and writes into it again and again. A file that nobody writes any more was left by a process that is gone; who
 * sees that creates the file of the next number. Locks, which network drives may not have, only tell it sooner.
 */
import { join } from "node:path";
import { messageOf, UserError } from "../../models/errors.ts";
import { systemReason } from "../../models/host/system_error.ts";
import type { Claim } from "../train/claim.ts";

/** In milliseconds: between two signs of life, and until a process without any is taken for gone. */
export interface Patience {
  beat: number;
  until: number;
}

/** A process may be busy for long with one kernel, and network drives may show what was written only after seconds. */
const patient: Patience = { beat: 10_000, until: 120_000 };

export interface ClaimOptions {
  /** This machine. */
  host: string;
  /** Called where it has to be seen whether another process is still there. */
  onWait(holder: string): void;
  /** Called where another process took this one for gone. */
  onLost(): void;
  patience?: Patience;
}

interface Held {
  number: number;
  path: string;
}

const delay = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** A task's claims, the newest first. */
function claimsOf(folder: string, run: string): Held[] {
  const prefix = `${run}.claim-`;
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ number: Number(name.slice(prefix.length)), path: join(folder, name) }))
    .sort((a, b) => b.number - a.number);
}

/** A claim as it lies there, and whether a process of this machine, or of one that shares its locks, has it open. */
function look(path: string): { text: string; locked?: boolean } | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const bytes = new Uint8Array(1000);
    const text = new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
    try {
      return { text, locked: !file.tryLockSync(true) };
    } catch {
      return { text }; // no locks there
    }
  } finally {
    file.close();
  }
}

const holderIn = (text: string) => /^(\S+) (\d+) /.exec(text)?.slice(1) ?? ["another machine", "?"];

/** Whether the process of a claim is gone; false where it is there, undefined where the claim is not the newest any more. */
async function isLeft(
  { path }: Held,
  isNewest: () => boolean,
  { host, onWait, patience = patient }: ClaimOptions,
): Promise<{ left: boolean; holder: string } | undefined> {
  const first = look(path);
  if (first === undefined) return undefined;
  const [machine, process] = holderIn(first.text);
  const holder = `${machine}, process ${process}`;
  if (first.locked) return { left: false, holder };
  if (first.locked === false && machine === host) return { left: true, holder };
  onWait(holder);
  for (let waited = 0; waited < patience.until; waited += patience.beat / 4) {
    await delay(patience.beat / 4);
    const now = isNewest() ? look(path) : undefined;
    if (now === undefined) return undefined;
    if (now.locked || now.text !== first.text) return { left: false, holder };
  }
  return { left: true, holder };
}

/** Creates a claim's file and keeps it alive; undefined where another process was faster. */
function create(
  folder: string,
  run: string,
  number: number,
  { host, onLost, patience = patient }: ClaimOptions,
): Claim | undefined {
  const path = join(folder, `${run}.claim-${number}`);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true, createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
  try {
    file.lockSync(true); // another process may hold it for the moment of its look
  } catch {
    // no locks there
  }
  let beats = 0;
  const beat = () => {
    file.seekSync(0, Deno.SeekMode.Start);
    const text = `${host} ${Deno.pid} ${String(beats++).padStart(10, "0")}\n`;
    file.writeSync(new TextEncoder().encode(text));
    file.syncDataSync();
  };
  beat();
  const timer = setInterval(() => {
    try {
      if (claimsOf(folder, run)[0].number > number) return onLost();
      beat();
    } catch {
      // A drive that is away for a while comes back, or training fails for the same reason.
    }
  }, patience.beat);
  Deno.unrefTimer(timer);
  return {
    release() {
      clearInterval(timer);
      for (const { path } of claimsOf(folder, run).filter((claim) => claim.number <= number)) {
        try {
          Deno.removeSync(path);
        } catch {
          // A network drive may list what is gone; and what stays is left by a process that is gone.
        }
      }
      file.close();
    },
  };
}

/**
 * Claims a task. Returns who has it where that is another process, after up to two minutes where nothing tells at once
 * whether that is still there. Throws a UserError where nothing can be written.
 */
export async function claimTask(
  folder: string,
  run: string,
  options: ClaimOptions,
): Promise<{ claim: Claim } | { holder: string }> {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    // A network drive may list for some seconds what was there before.
    for (;; await delay(50)) {
      const [newest] = claimsOf(folder, run);
      if (newest !== undefined) {
        const isNewest = () => claimsOf(folder, run)[0]?.number === newest.number;
        const found = await isLeft(newest, isNewest, options);
        if (found === undefined) continue;
        if (!found.left) return { holder: found.holder };
      }
      const claim = create(folder, run, (newest?.number ?? 0) + 1, options);
      if (claim !== undefined) return { claim };
    }
  } catch (cause) {
    const reason = systemReason(cause) ?? messageOf(cause);
    throw new UserError(`Cannot write in ${folder}: ${reason}. See --output_dir.`, { cause });
  }
}
