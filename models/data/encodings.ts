/** Names of text encodings, and text from bytes in any of them. */

/** What Python calls them, where the web's list of labels (https://encoding.spec.whatwg.org/#names-and-labels) does not. */
const pythonNames: Readonly<Record<string, string>> = {
  "utf-8-sig": "utf-8",
  cp932: "shift_jis",
  cp936: "gbk",
  cp949: "euc-kr",
  cp950: "big5",
  "utf-32le": "utf-32le",
  "utf-32be": "utf-32be",
  "utf-32-le": "utf-32le",
  "utf-32-be": "utf-32be",
  "utf-32": "utf-32le",
  "utf-16-le": "utf-16le",
  "utf-16-be": "utf-16be",
};

/** The encoding that a label of the web's list, or Python's name, stands for; undefined for any other. */
export function encodingNamed(label: string): string | undefined {
  const lower = label.trim().toLowerCase();
  for (const name of [lower, lower.replaceAll("_", "-")]) {
    const known = Object.hasOwn(pythonNames, name) ? pythonNames[name] : undefined;
    if (known !== undefined) return known;
    try {
      return new TextDecoder(name).encoding;
    } catch {
      // No such label.
    }
  }
}

/** UTF-32, for which no decoder is built in. Throws a TypeError for what is none. */
function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new TypeError("The bytes are no whole characters.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  const points: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      throw new TypeError("A number is no character.");
    }
    points.push(point);
    // As many arguments as every engine takes.
    if (points.length === 4096) parts.push(String.fromCodePoint(...points.splice(0)));
  }
  parts.push(String.fromCodePoint(...points));
  return parts.join("").replace(/^\uFEFF/, "");
}

/** The text of bytes in an encoding of {@link encodingNamed}, without a byte order mark. Throws a TypeError for what is none. */
export function decode(bytes: Uint8Array, encoding: string): string {
  if (encoding.startsWith("utf-32")) return decodeUtf32(bytes, encoding === "utf-32le");
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

/** Whether a byte 0x0A is a line's end in an encoding, and part of no other character. */
export const hasPlainLineEnds = (encoding: string): boolean => !/^utf-(16|32)/.test(encoding);

/** Longer marks first: UTF-32's begins as UTF-16's. */
const marks: [string, number[]][] = [
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
  ["utf-8", [0xef, 0xbb, 0xbf]],
];

/** The encoding that a byte order mark at the start tells. */
export function encodingByMark(bytes: Uint8Array): string | undefined {
  return marks.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
}

/** Bytes in which zeros are counted. */
const sampled = 4096;

/** UTF-16 or UTF-32 without a mark, by the zero bytes of its ASCII characters, which stand at the same places throughout. */
export function encodingByZeros(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, sampled) & ~3;
  const zeros = [0, 0, 0, 0];
  for (let at = 0; at < length; at++) if (bytes[at] === 0) zeros[at % 4]++;
  const [a, b, c, d] = zeros.map((count) => count / (length / 4));
  if (d === 1 && c > 0.5) return "utf-32le";
  if (a === 1 && b > 0.5) return "utf-32be";
  const many = 0.1;
  if (a + c === 0 && Math.min(b, d) > many) return "utf-16le";
  if (b + d === 0 && Math.min(a, c) > many) return "utf-16be";
}
