/** Writing the files of a run into a folder of this machine. */
import { join } from "node:path";
import { piecesOf, type RunFile } from "../files/run_file.ts";
import { writeFileWhole } from "./write.ts";

/** Writes files one after another, each whole or not at all; returns their names and bytes. */
export async function writeFiles(
  folder: string,
  files: readonly RunFile[],
): Promise<{ files: string[]; bytes: number }> {
  let bytes = 0;
  for (const file of files) {
    const content = "content" in file ? file.content : piecesOf(file);
    bytes += await writeFileWhole(join(folder, file.name), content);
  }
  return { files: files.map(({ name }) => name), bytes };
}
