/** Names of folders that every file system takes. */
import { fnv1a } from "../../engine/hash.ts";

/**
 * Bytes that a run's name may have. File systems take 255, and names are made longer: by `.` before, a UUID and `.tmp` after
 * it while it is written, and what tells its checkpoints and trials.
 */
const mostBytes = 180;

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/** Eight hex digits that tell names apart whose beginnings are the same. */
const digest = (text: string) => fnv1a(text).toString(16).padStart(8, "0");

/** A name cut to so many bytes, at a whole character, with a digest of the whole; as it is where it is short enough. */
export function fittedName(name: string, most = mostBytes): string {
  if (bytesOf(name) <= most) return name;
  let kept = "";
  let room = most - 9;
  for (const character of name) {
    room -= bytesOf(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept.replace(/[-._+]+$/, "")}-${digest(name)}`;
}

/** Names that Windows keeps for devices, whatever ends they have. */
const devices = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/** Why a text cannot be the name of a folder, here or where it is copied to; undefined where it can. */
export function nameProblem(text: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const forbidden = /[/\\:*?"<>|\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.exec(text)?.[0];
  if (forbidden !== undefined) {
    return forbidden === "/" || forbidden === "\\"
      ? "it has a path separator"
      : /[:*?"<>|]/.test(forbidden)
      ? `it has a ${forbidden}, which Windows does not take`
      : "it has a control character";
  }
  if (text.trim() === "") return "it is empty";
  if (/^[.\s]|\s$/.test(text)) return "it starts with a dot or a space, or ends with a space";
  if (/\.$/.test(text)) return "it ends with a dot, which Windows does not take";
  if (devices.test(text)) return "Windows keeps that name for a device";
  const bytes = bytesOf(text);
  return bytes > mostBytes
    ? `it has ${bytes} bytes, and ${mostBytes} is the most that leaves room for what is added`
    : undefined;
}
