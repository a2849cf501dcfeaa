/**
 * Reading damaged files: each damage is an error of ours in one sentence, or it is read and is as it should be.
 * `FUZZ=3000 deno test -P=test test/fuzz/` tries so many of each; a failure tells its seed and path, and
 * `FUZZ_SEED=… FUZZ_PATH=…` tries that one again.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import { type Folder, memoryFolder } from "../../models/files/folder.ts";
import { piecesOf, type RunFile } from "../../models/files/run_file.ts";
import { filesBelow } from "../../models/host/files.ts";
import { putFiles } from "../models/fake_hub.ts";
import { mutated, type Mutation, mutation } from "./mutations.ts";

export type Files = Map<string, Uint8Array<ArrayBuffer>>;

const many = Deno.env.get("FUZZ");
const seed = Deno.env.get("FUZZ_SEED");
const path = Deno.env.get("FUZZ_PATH");

/** Longer than every message whose names are of usual lengths. */
const longestMessage = 2100;

/** Asserts that an error is one sentence of ours. */
export function checkSentence(error: unknown): void {
  assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
  const { message } = error;
  assert.ok(message.length <= longestMessage, `${message.length}: ${message.slice(0, 300)}`);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(message, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
  assert.doesNotMatch(message, /\[object |undefined|, but is NaN/);
  assert.match(message, /^\S.*[.)"]$/);
}

interface FuzzOptions<Result> {
  /** Of these the damaged one; all unless given. */
  names?: readonly string[];
  /** In the usual suite. */
  runs?: number;
  /** Asserts that what was read of damaged files is as it should be. */
  check?(result: Result, damaged: Files): void;
}

async function tryAll<Result>(
  files: Files,
  { names = [...files.keys()], runs = 100, check }: FuzzOptions<Result>,
  read: (damaged: Files) => Promise<Result>,
): Promise<{ read: number; refused: number }> {
  const counts = { read: 0, refused: 0 };
  const once = async (given: Mutation) => {
    const damaged = mutated(files, names, given);
    let result: Result;
    try {
      result = await read(damaged);
    } catch (error) {
      checkSentence(error);
      counts.refused++;
      return;
    }
    counts.read++;
    check?.(result, damaged);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  };
  await fc.assert(fc.asyncProperty(mutation, once), {
    numRuns: many === undefined ? runs : Number(many),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(path !== undefined && { path }),
  });
  return counts;
}

/** A test that reads folders of which a file is damaged; undamaged they are read. */
export function fuzz<Result>(
  name: string,
  files: Files | (() => Promise<Files>),
  read: (folder: Folder) => Promise<Result>,
  options: FuzzOptions<Result> = {},
): void {
  Deno.test(name, async () => {
    const all = files instanceof Map ? files : await files();
    options.check?.(await read(memoryFolder("folder", all)), all);
    const counts = await tryAll(all, options, (damaged) => read(memoryFolder("folder", damaged)));
    if (many !== undefined) console.log(`${name}: ${counts.refused} refused, ${counts.read} read`);
  });
}

/** As {@link fuzz}, with a folder of this machine for each damage, by its path. */
export function fuzzOnDisk<Result>(
  name: string,
  files: () => Promise<Files>,
  read: (folder: string) => Promise<Result>,
  options: FuzzOptions<Result> = {},
): void {
  Deno.test(name, async () => {
    const all = await files();
    const onDisk = async (damaged: Files) => {
      const folder = await Deno.makeTempDir();
      try {
        await putFiles(folder, Object.fromEntries(damaged));
        return await read(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    };
    options.check?.(await onDisk(all), all);
    const counts = await tryAll(all, options, onDisk);
    if (many !== undefined) console.log(`${name}: ${counts.refused} refused, ${counts.read} read`);
  });
}

/** A file as it would be written. */
export const bytesOf = (file: RunFile) =>
  new Uint8Array(piecesOf(file).flatMap((piece) => [...piece]));

/** The files of a folder of this machine. */
export async function filesOf(folder: string): Promise<Files> {
  const files: Files = new Map();
  for (const name of await filesBelow(folder)) {
    files.set(name, await Deno.readFile(`${folder}/${name}`));
  }
  return files;
}
