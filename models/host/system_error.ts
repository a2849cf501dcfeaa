/** What the operating system says of a file, in words that need no manual. */

/** By the system's own name of the error. */
const words: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is larger than may be",
  EROFS: "the disk is read-only",
  EACCES: "no permission",
  EPERM: "no permission",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "it is a folder",
  EEXIST: "a file is in the way",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
  EIO: "the disk fails",
};

/** `ENOSPC` and its like; undefined for what the operating system did not report. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Why the system, or Deno before it, refused a file, without a full stop; undefined for any other error. */
export function systemReason(error: unknown): string | undefined {
  // /proc, /sys, /dev and their like, which Deno opens only to who has all permissions; not a host.
  if (error instanceof Deno.errors.NotCapable) {
    return error.message.startsWith("Requires net") ? undefined : "Deno keeps programs out of it";
  }
  const code = systemCode(error);
  if (code === undefined) return undefined;
  return words[code] ?? (error as Error).message.replace(/ \(os error \d+\).*$/s, "");
}
