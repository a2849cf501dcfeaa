import assert from "node:assert/strict";
import { parsePath } from "../../cli/shared/flag_values.ts";
import { quoted } from "../../cli/shared/shell.ts";
import { runProgram } from "./command.ts";

Deno.test("a word that is shown is the word that a shell reads", async () => {
  const words = ["results/001-mini", "my run", "it's", "$HOME", "a;b", "C:\\x", "-", "*", ""];
  const line = words.map((word) => quoted(word, "linux")).join(" ");
  const { stdout } = await runProgram("sh", ["-c", `printf '%s\\n' ${line}`]);
  assert.deepEqual(stdout.split("\n").slice(0, -1), words);
  assert.equal(quoted(words[0], "linux"), words[0]);
  assert.deepEqual(
    ["results\\001-mini", "my run"].map((word) => quoted(word, "windows")),
    ["results\\001-mini", '"my run"'],
  );
});

Deno.test("a path loses the slashes at its end, unless it is nothing else", () => {
  assert.deepEqual(
    ["a/b//", "a", "/", "C:\\", "run\\"].map(parsePath),
    ["a/b", "a", "/", "C:\\", "run"],
  );
  assert.throws(() => parsePath(" "), /an empty text/);
});
