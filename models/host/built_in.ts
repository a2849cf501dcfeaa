/** The built-in model as files, for what was trained over it and is loaded elsewhere. */
import type { RunFile } from "../files/run_file.ts";
import { hostFolder } from "./files.ts";

/** The name of the built-in model. */
export const miniModel = "mini";

/** In the order in which they are to be written: a folder with the last one is whole. */
const modelFiles = [
  "README.md",
  "vocab.txt",
  "tokenizer_config.json",
  "model.safetensors",
  "config.json",
];

/** What transformers needs of a folder to load the model, with the card that says where it comes from. */
export async function builtInFiles(path: string): Promise<RunFile[]> {
  const folder = hostFolder(path);
  const files: RunFile[] = [];
  for (const name of modelFiles) files.push({ name, content: await folder.bytes(name) });
  return files;
}
