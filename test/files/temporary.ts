import { join } from "node:path";
import type { Folder } from "../../models/files/folder.ts";
import { hostFolder } from "../../models/host/files.ts";

/** Runs a test body with a new folder that is removed afterwards. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A test of that kind. */
export function folderTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test(name, () => withFolder(body));
}

export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  return names.sort();
}

/** The path of something under test/goldens/. */
export function golden(...parts: string[]): string {
  return join(import.meta.dirname ?? "", "..", "goldens", ...parts);
}

/** A folder under test/goldens/. */
export function goldenFolder(...parts: string[]): Folder {
  return hostFolder(golden(...parts));
}
