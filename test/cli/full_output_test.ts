/** Standard output that takes nothing: on a full disk, and where the reader has left. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { folderTest } from "../files/temporary.ts";
import { type Ended, runProgram } from "./command.ts";

const lost =
  "Cannot write to standard output: the disk is full. The command goes on and saves its files, but " +
  "it will end with exit code 1.\n";

/** A program of this project as a shell runs it, with a redirection behind its arguments. */
function shell(
  program: string,
  args: string[],
  behind: string,
  set = "commands",
  before = "",
): Promise<Ended> {
  const command = [Deno.execPath(), "run", "-q", "--no-check", `-P=${set}`, "--no-prompt"];
  const line = [...command, program, ...args].map((part) => `'${part}'`).join(" ");
  return runProgram("sh", ["-c", `${before}${line} ${behind}`], {
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
  });
}

/** There is a /dev/full on Linux only. */
const ignore = Deno.build.os !== "linux";

Deno.test("a command whose product is lost says so once, and fails", { ignore }, async () => {
  const ended = [
    await shell("cli/train.ts", ["--help"], ">/dev/full"),
    await shell("cli/train.ts", ["--dry_run", "--model_name", "mini"], ">/dev/full"),
    await shell("cli/inspect.ts", ["assets/mini"], ">/dev/full", "inspect"),
  ];
  for (const each of ended) assert.deepEqual(each, { code: 1, stdout: "", stderr: lost });
  const unheard = await shell("cli/train.ts", ["--help"], ">/dev/full 2>/dev/full");
  assert.deepEqual(unheard, { code: 1, stdout: "", stderr: "" });
});

for (const [behind, stderr] of [[">/dev/full", lost], [">/dev/full 2>&1", ""]]) {
  folderTest(`training goes on with ${behind}, and saves`, async (folder) => {
    if (ignore) return;
    const args = ["--method", "lora", "--rank", "4", "--output_dir", folder, "--experiment", "e"];
    const ended = await shell("test/cli/fake_train.ts", args, behind, "test");
    assert.deepEqual(ended, { code: 1, stdout: "", stderr });
    assert.ok((await Deno.stat(join(folder, "e", "lora-r4", "run.json"))).isFile);
  });
}

Deno.test("training whose messages alone are lost succeeds", { ignore }, async () => {
  const { code, stdout } = await shell("cli/train.ts", ["--dry_run"], "2>/dev/full");
  assert.equal(code, 0);
  assert.match(stdout, /^bert-base-uncased/);
});

Deno.test("a reader who leaves is no failure", async () => {
  // `true` is gone long before anything is written.
  const ended = await shell(
    "cli/train.ts",
    ["--help"],
    `&& echo succeeded >&2; } | true`,
    "commands",
    "{ ",
  );
  assert.deepEqual(ended, { code: 0, stdout: "", stderr: "succeeded\n" });
});
