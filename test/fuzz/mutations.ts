/** Damage to files, as fast-check draws it: to their bytes, and to the values and keys of their JSON. */
import fc from "fast-check";

type Bytes = Uint8Array<ArrayBuffer>;

/** What may stand where a value stood, as JSON's text or what some take for it. */
export const nasty = [
  ...[
    "0",
    "-0",
    "-1",
    "1.5",
    "3",
    "2147483648",
    "9007199254740993",
    "1e308",
    "1e999",
    "NaN",
    "-1e-320",
  ],
  ...["null", "true", "false", "[]", "{}", "[null]", '""', '"x"', '"0"', '"NaN"', '"__proto__"'],
  ...['{"__proto__":{"polluted":1}}', '{"constructor":1}', '"../../x"', '"/etc/passwd"', '".."'],
  ...['"\\u001b]0;x\\u0007"', '"\\u202eevil"', '"\\ud800"', '"\\u0000"', '"<script>"', '"a\\nb"'],
  JSON.stringify("long ".repeat(4000)),
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`,
] as const;

const byteChanges = [
  "flip",
  "set",
  "cut",
  "insert",
  "remove",
  "repeat",
  "swap",
  "bom",
  "empty",
] as const;
const jsonChanges = ["replace", "replace", "drop", "double", "rename", "wrap"] as const;

/** One change; `at` and `to` are places within a file, from 0 to 1. */
type Change =
  | {
    of: "bytes";
    kind: typeof byteChanges[number];
    at: number;
    to: number;
    length: number;
    value: number;
  }
  | { of: "json"; kind: typeof jsonChanges[number]; at: number; raw: string };

/** A file, by its place among those that are damaged, and what happens to it. */
export interface Mutation {
  file: number;
  changes: Change[];
}

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      of: fc.constant("bytes" as const),
      kind: fc.constantFrom(...byteChanges),
      at: place,
      to: place,
      length: fc.integer({ min: 1, max: 40 }),
      value: fc.nat(255),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      of: fc.constant("json" as const),
      kind: fc.constantFrom(...jsonChanges),
      at: place,
      raw: fc.constantFrom(...nasty),
    }),
  },
);

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  file: fc.nat(1000),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
});

const concat = (...parts: Uint8Array[]): Bytes =>
  new Uint8Array(parts.flatMap((part) => [...part]));

function changeBytes(
  bytes: Bytes,
  { kind, at, to, length, value }: Extract<Change, { of: "bytes" }>,
): Bytes {
  const [first, other] = [at, to].map((share) => Math.floor(share * bytes.length));
  const [before, piece, after] = [
    bytes.subarray(0, first),
    bytes.subarray(first, first + length),
    bytes.subarray(first + length),
  ];
  switch (kind) {
    case "flip":
      return bytes.map((byte, index) => index === first ? byte ^ (1 << (value & 7)) : byte);
    case "set":
      return bytes.map((byte, index) => index >= first && index < first + length ? value : byte);
    case "cut":
      return bytes.slice(0, first);
    case "insert":
      return concat(before, new Uint8Array(length).fill(value), piece, after);
    case "remove":
      return concat(before, after);
    case "repeat":
      return concat(before, ...Array<Uint8Array>(length).fill(piece), after);
    case "swap": {
      const changed = bytes.slice();
      changed.set(bytes.subarray(other, other + length).subarray(0, bytes.length - first), first);
      changed.set(piece.subarray(0, bytes.length - other), other);
      return changed;
    }
    case "bom":
      return concat([0xef, 0xbb, 0xbf] as unknown as Uint8Array, bytes);
    case "empty":
      return new Uint8Array();
  }
}

/** The text of a value in which the node at a place, counted from the root, is changed. */
function changeJson(root: unknown, { kind, at, raw }: Extract<Change, { of: "json" }>): string {
  const count = (value: unknown): number =>
    1 +
    (typeof value === "object" && value !== null
      ? Object.values(value).reduce((sum: number, inner) => sum + count(inner), 0)
      : 0);
  const chosen = Math.floor(at * count(root));
  let next = 0;
  /** The members that a node becomes in its list or object: none, one or two. */
  const members = (value: unknown, key?: string): string[] => {
    const isChosen = next++ === chosen;
    const named = (text: string, name = key) =>
      name === undefined ? text : `${JSON.stringify(name)}:${text}`;
    const text = textOf(value);
    if (!isChosen) return [named(text)];
    switch (kind) {
      case "replace":
        return [named(raw)];
      case "drop":
        return [];
      case "double":
        return [named(text), named(raw)];
      case "rename":
        return [named(text, key === undefined ? undefined : raw.slice(0, 40))];
      case "wrap":
        return [named(`[${text}]`)];
    }
  };
  const textOf = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.flatMap((inner) => members(inner)).join()}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    return `{${Object.entries(value).flatMap(([key, inner]) => members(inner, key)).join()}}`;
  };
  return members(root).join();
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A text's JSON changed; the text as it is where it is none any more. */
function changeText(text: string, change: Extract<Change, { of: "json" }>): string {
  try {
    return changeJson(JSON.parse(text), change);
  } catch {
    return text;
  }
}

/** The header of a safetensors file changed, and its length with it. */
function changeHeader(bytes: Bytes, change: Extract<Change, { of: "json" }>): Bytes {
  if (bytes.length < 8) return bytes;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = encoder.encode(changeText(decoder.decode(bytes.subarray(8, 8 + length)), change));
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
  return concat(prefix, header, bytes.subarray(8 + length));
}

/** A file with a change to it; `name` says where its JSON is. */
function changed(name: string, bytes: Bytes, change: Change): Bytes {
  if (change.of === "bytes") return changeBytes(bytes, change);
  if (name.endsWith(".safetensors")) return changeHeader(bytes, change);
  if (!name.endsWith(".jsonl")) {
    return encoder.encode(changeText(decoder.decode(bytes), change));
  }
  const lines = decoder.decode(bytes).split("\n");
  const line = Math.floor(change.at * lines.length);
  lines[line] = changeText(lines[line], change);
  return encoder.encode(lines.join("\n"));
}

/** All files, one of the named ones with its changes. */
export function mutated(
  files: ReadonlyMap<string, Bytes>,
  names: readonly string[],
  { file, changes }: Mutation,
): Map<string, Bytes> {
  const name = names[file % names.length];
  const bytes = changes.reduce((all, each) => changed(name, all, each), files.get(name)!);
  return new Map([...files, [name, bytes]]);
}
