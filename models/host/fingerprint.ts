/** Whether a folder's weights are still those that they were. */
import { createHash } from "node:crypto";
import type { Folder } from "../files/folder.ts";
import { addSource } from "./checksums.ts";

/** Before the sum, which older versions took of the files' ends alone: such a one is compared with nothing. */
const kind = "sha256:";
const older = /^[0-9a-f]{64}$/;

/**
 * The SHA-256 of the names, the sizes and all bytes of folders' safetensors files, after its kind; about 2 GB a second
 * where the processor has instructions for it. That of folders without any is the same for all.
 */
export async function weightsFingerprint(...folders: Folder[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const name of (await folder.list()).filter((name) => name.endsWith(".safetensors"))) {
      const source = await folder.open(name);
      try {
        hash.update(`${name} ${source.byteLength}\n`);
        await addSource(hash, source);
      } finally {
        source.close?.();
      }
    }
  }
  return kind + hash.digest("hex");
}

/** Whether weights are known to be others than those of a recorded fingerprint. */
export const weightsDiffer = (recorded: string | undefined, now: string): boolean =>
  recorded !== undefined && recorded !== now && !older.test(recorded);
