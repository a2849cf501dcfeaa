/** The short text that git-LFS leaves in the place of a large file that was not downloaded. */
import { UserError } from "../errors.ts";

/** More bytes than such a text has. */
export const longestPointer = 1024;

/**
 * The error of a file that begins so, a character a byte, where it is a pointer of git-LFS; else undefined.
 * See https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
export function pointerError(beginning: string, name: string): UserError | undefined {
  if (!/^version https:\/\/(git-lfs|hawser)\.github\.com\/spec\//.test(beginning)) return undefined;
  const size = /^size (\d+)\s*$/m.exec(beginning)?.[1];
  return new UserError(
    `${name} is a git-LFS pointer, a short text in the place of a file` +
      `${size ? ` of ${size} bytes` : ""} that was not downloaded. Fetch it with: git lfs pull`,
  );
}
