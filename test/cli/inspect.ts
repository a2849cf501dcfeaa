/** `deno task inspect` in a process of its own, with the permissions that its task has, and folders to look into. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Ended, runProgram } from "./command.ts";

export const goldens = "test/goldens";

export async function runInspect(args: string[], columns = 80): Promise<Ended> {
  const run = ["run", "-q", "--no-check", "-P=inspect", "--no-prompt", "cli/inspect.ts"];
  return await runProgram(Deno.execPath(), [...run, ...args], {
    env: { NO_COLOR: "1", COLUMNS: `${columns}`, HF_HUB_OFFLINE: "1" },
  });
}

/** What stdout says of a path, of which a file may be damaged. */
export async function told(path: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInspect([path, ...flags]);
  assert.equal(stderr, "");
  assert.ok(code === 0 || /^Problem /m.test(stdout), stdout);
  return stdout;
}

/** The text without the line breaks of a terminal's width. */
export const joined = (text: string) => text.replace(/\s+/g, " ");

/** A folder in a folder, of files with these contents. */
export async function fill(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(folder, name), bytes);
  }
  return folder;
}

export async function damaged(path: string, message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runInspect([path]);
  assert.equal(code, 1, stdout);
  assert.equal(stdout, "");
  assert.match(stderr, /^Error: [^\n]+\n$/);
  assert.match(stderr, message);
}
