/** Which of test/engine/ the browser runs. */

/** What cannot run in a page, and why. */
export const leftOut: Record<string, string> = {
  "names_test.ts": "it reads this project's sources",
};

/** Files that take minutes on a software adapter: they run with `--all`. */
export const slow: readonly string[] = [];
