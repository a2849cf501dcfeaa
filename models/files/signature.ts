/** What a file is that should have been another: told by its first bytes. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { longestPointer, pointerError } from "./lfs_pointer.ts";

/** How files begin, a character a byte, and what they are. */
const signatures: [beginnings: string[], what: string][] = [
  [["\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"], "a pickle"],
  [["PK\x03\x04", "PK\x05\x06"], "a zip archive, as PyTorch's pickles and Excel's workbooks are"],
  [["GGUF"], "a GGUF file, llama.cpp's format"],
  [["\x89HDF"], "an HDF5 file, as TensorFlow and Keras write them"],
  [["\x1f\x8b"], "a file compressed by gzip, to be unpacked first"],
  [["ARROW1", "FEA1", "\xff\xff\xff\xff"], "an Arrow file"],
  [["PAR1"], "a Parquet file"],
  [["PARE"], "an encrypted Parquet file"],
  [["SQLite format 3\x00"], "a database of SQLite"],
  [["7z\xbc\xaf\x27\x1c"], "an archive of 7-Zip, to be unpacked first"],
  [["Rar!\x1a\x07"], "an archive of RAR, to be unpacked first"],
  [["\x28\xb5\x2f\xfd"], "a file compressed by Zstandard, to be unpacked first"],
  [["\xfd7zXZ\x00"], "a file compressed by xz, to be unpacked first"],
  [["\x04\x22\x4d\x18"], "a file compressed by LZ4, to be unpacked first"],
  [["Obj\x01"], "an Avro file"],
  [["\x93NUMPY"], "an array of NumPy"],
  [["%PDF-"], "a PDF document"],
  [["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"], "a document of an old Office, as Excel's .xls are"],
  [["\x00\x05\x16\x07", "\x00\x05\x16\x00"], "what macOS keeps beside a file, without its content"],
];

/** The same for beginnings that vary. */
const patterns: [beginning: RegExp, what: string][] = [
  [/^BZh[1-9]1AY&SY/, "a file compressed by bzip2, to be unpacked first"],
  [/^(\xef\xbb\xbf)?(\s|<\?xml[^>]*>|<!--[^]*?-->)*<(!doctype\s+html|html|head)\b/i, "a web page"],
  [/^(\xef\xbb\xbf)?\s*<\?xml\b/, "a page of XML, such as a server's error"],
  [/^[^]{257}ustar/, "an archive of tar, to be unpacked first"],
];

/** The first bytes, a character each. */
export async function beginningOf(source: ByteSource): Promise<string> {
  const bytes = new Uint8Array(await source.slice(0, Math.min(longestPointer, source.byteLength)));
  return String.fromCharCode(...bytes);
}

/** What a file is that begins so, a character a byte, where that tells; undefined for plain text. */
export const signatureOf = (beginning: string): string | undefined =>
  (signatures.find(([all]) => all.some((each) => beginning.startsWith(each))) ??
    patterns.find(([pattern]) => pattern.test(beginning)))?.[1];

/** Throws a UserError where a file that should be text is another, or was not downloaded. */
export async function checkText(source: ByteSource): Promise<void> {
  const beginning = await beginningOf(source);
  const pointer = pointerError(beginning, source.name);
  if (pointer) throw pointer;
  const what = signatureOf(beginning);
  if (what) throw new UserError(`${source.name} is ${what}, although its name says otherwise.`);
}
