/** SHA-256 sums of files, in a file beside them that `sha256sum -c SHA256SUMS` reads too. */
import { createHash } from "node:crypto";
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { piecesOf, type RunFile } from "../files/run_file.ts";
import { writeFiles } from "./write_files.ts";

const sumsFile = "SHA256SUMS";

/** Bytes that are read at once. */
const piece = 1 << 22;

/** Adds all bytes of a source, piece by piece, to a hash such as `createHash("sha256")` of node:crypto. */
export async function addSource(
  hash: { update(bytes: Uint8Array): unknown },
  source: ByteSource,
): Promise<void> {
  for (let begin = 0; begin < source.byteLength; begin += piece) {
    const end = Math.min(begin + piece, source.byteLength);
    hash.update(new Uint8Array(await source.slice(begin, end)));
  }
}

/** The content of the file of sums. */
export function sumsOf(files: readonly RunFile[]): string {
  return files.map((file) => {
    const hash = createHash("sha256");
    for (const bytes of piecesOf(file)) hash.update(bytes);
    return `${hash.digest("hex")}  ${file.name}\n`;
  }).join("");
}

/** As `writeFiles`, and last the sums of what was to be written, taken before the disk has it. */
export async function writeFilesWithSums(
  folder: string,
  files: readonly RunFile[],
): Promise<void> {
  const sums = sumsOf(files);
  await writeFiles(folder, [...files, { name: sumsFile, content: sums }]);
}

/**
 * Throws a UserError that names the first file of a folder that is not as {@link writeFilesWithSums} wrote it. A folder
 * without sums, as older versions wrote them, passes.
 */
export async function checkSums(folder: Folder): Promise<void> {
  if (!(await folder.has(sumsFile))) return;
  const sums = new Map<string, string>();
  for (const line of (await folder.text(sumsFile)).split(/(?<=\n)/)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([^\\/\n]+)\n$/.exec(line) ?? [];
    if (name === undefined) throw new UserError(`${pathIn(folder, sumsFile)} is damaged.`);
    sums.set(name, sum);
  }
  for (const name of await folder.list()) {
    if (name !== sumsFile && !sums.has(name)) {
      throw new UserError(`${pathIn(folder, sumsFile)} is damaged: it has no sum of ${name}.`);
    }
  }
  for (const [name, sum] of sums) {
    const hash = createHash("sha256");
    const source = await folder.open(name);
    try {
      await addSource(hash, source);
    } finally {
      source.close?.();
    }
    if (hash.digest("hex") !== sum) {
      throw new UserError(
        `${source.name} is damaged: its SHA-256 is not the one it was written with.`,
      );
    }
  }
}
