/** Whether a folder's weights are still those that they were, without reading all of them. */
import type { Folder } from "../files/folder.ts";

/** Bytes of each file's beginning and end: the header and the first tensors, and the last ones. */
const sampled = 1 << 20;

/**
 * SHA-256, in hex, of the names and sizes of folders' safetensors files and of a mebibyte at either end of each: other
 * weights that were trained differ there too. That of folders without any is the same for all.
 */
export async function weightsFingerprint(...folders: Folder[]): Promise<string> {
  const parts: BlobPart[] = [];
  for (const folder of folders) {
    for (const name of (await folder.list()).filter((name) => name.endsWith(".safetensors"))) {
      const source = await folder.open(name);
      try {
        const { byteLength } = source;
        parts.push(`${name} ${byteLength}\n`, await source.slice(0, Math.min(sampled, byteLength)));
        if (byteLength > sampled) {
          parts.push(await source.slice(Math.max(sampled, byteLength - sampled), byteLength));
        }
      } finally {
        source.close?.();
      }
    }
  }
  const bytes = await new Blob(parts).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
