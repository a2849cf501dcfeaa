/** What a file is that should have been another: told by its first bytes. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";

/** How files begin, a character a byte, and what they are. */
const signatures: [beginnings: string[], what: string][] = [
  [["\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"], "a pickle"],
  [["PK\x03\x04"], "a zip archive, as PyTorch's pickles and Excel's workbooks are"],
  [["GGUF"], "a GGUF file, llama.cpp's format"],
  [["\x89HDF"], "an HDF5 file, as TensorFlow and Keras write them"],
  [["\x1f\x8b"], "a file compressed by gzip, to be unpacked first"],
  [["ARROW1", "\xff\xff\xff\xff"], "an Arrow file"],
  [["PAR1"], "a Parquet file"],
  [["<!doctype", "<!DOCTYPE", "<html", "<HTML"], "a web page"],
  [["<?xml"], "a page of XML, such as a server's error"],
];

/** More than a pointer of git-LFS takes. */
const longest = 1024;

/** The first bytes, a character each. */
export async function beginningOf(source: ByteSource): Promise<string> {
  const bytes = new Uint8Array(await source.slice(0, Math.min(longest, source.byteLength)));
  return String.fromCharCode(...bytes);
}

/** What to say of a file that git-LFS left a pointer of; undefined of any other. */
export function pointerError(beginning: string, name: string): UserError | undefined {
  if (!beginning.startsWith("version https://git-lfs.github.com/spec/")) return undefined;
  const size = /^size (\d+)\s*$/m.exec(beginning)?.[1];
  return new UserError(
    `${name} is a git-LFS pointer, a short text in the place of a file` +
      `${size ? ` of ${size} bytes` : ""} that was not downloaded. Fetch it with: git lfs pull`,
  );
}

/** What a file is by its beginning, where that is known. */
export const signatureOf = (beginning: string): string | undefined =>
  signatures.find(([all]) =>
    all.some((each) => (each[0] === "<" ? beginning.trimStart() : beginning).startsWith(each))
  )?.[1];

/** Throws a UserError where a file that should be text is another, or was not downloaded. */
export async function checkText(source: ByteSource): Promise<void> {
  const beginning = await beginningOf(source);
  const what = signatureOf(beginning);
  const pointer = pointerError(beginning, source.name);
  if (pointer) throw pointer;
  if (what) throw new UserError(`${source.name} is ${what}, although its name says otherwise.`);
}

/** Throws a UserError where git-LFS left a pointer in a file's place. */
export async function checkDownloaded(source: ByteSource): Promise<void> {
  const pointer = pointerError(await beginningOf(source), source.name);
  if (pointer) throw pointer;
}
