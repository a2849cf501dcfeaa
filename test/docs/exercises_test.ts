/** The exercises: unsolved as they are here, solved by the reference solutions in a copy, and helpful on the way. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkCounts, questions } from "../../docs/exercises/checks/counts.ts";
import { judge } from "../../docs/exercises/checks/kernel.ts";
import { answers } from "../../docs/exercises/counts.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import { runProgram } from "../cli/command.ts";
import { withFolder } from "../files/temporary.ts";
import { type Edit, fastKernel, solutions } from "./solutions.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const exercise = (args: string[], cwd = root) =>
  runProgram(
    Deno.execPath(),
    ["run", "-q", "--no-check", "--no-prompt", "docs/exercises/run.ts", ...args],
    { cwd },
  );

/** What an exercise needs of the project, in a folder of its own. */
async function copyProject(folder: string): Promise<void> {
  const parts = "deno.json deno.lock kernels engine gradcheck models docs";
  const { code, stderr } = await runProgram("sh", ["-c", `cp -r ${parts} "$0"`, folder]);
  assert.equal(code, 0, stderr);
}

/** Makes edits and returns how to undo them. */
async function apply(folder: string, edits: Edit[]): Promise<() => Promise<void>> {
  const undo: (() => Promise<void>)[] = [];
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    if (find === undefined) {
      await Deno.writeTextFile(path, replace);
      undo.push(() => Deno.remove(path));
      continue;
    }
    const before = await Deno.readTextFile(path);
    assert.equal(before.split(find).length, 2, `${file} should have once: ${find}`);
    await Deno.writeTextFile(path, before.replace(find, () => replace));
    undo.push(() => Deno.writeTextFile(path, before));
  }
  return async () => {
    for (const each of undo.reverse()) await each();
  };
}

Deno.test("exercises: each is unsolved at first, then half solved, then solved, and says so", async () => {
  await withFolder(async (folder) => {
    await copyProject(folder);
    for (const [number, { half, edits, says }] of Object.entries(solutions)) {
      const fresh = await exercise([number], folder);
      assert.equal(fresh.code, 1, fresh.stdout + fresh.stderr);
      assert.match(fresh.stdout, /^Exercise \d: .+ \(.+\)\nNot yet\. [^\n]+\.\n$/);
      const undo = await apply(folder, half.edits);
      const begun = await exercise([number], folder);
      assert.equal(begun.code, 1, begun.stdout);
      assert.match(begun.stdout, half.says);
      await undo();
      await apply(folder, edits);
      const done = await exercise([number], folder);
      assert.equal(done.code, 0, done.stdout + done.stderr);
      assert.match(done.stdout, says);
    }
  });
});

Deno.test("exercises: here all are as they are given", async () => {
  assert.deepEqual(Object.keys(answers), Object.keys(questions));
  assert.ok(Object.values(answers).every((answer) => answer === undefined));
  const here = "docs/exercises/squares.wgsl";
  const kept = "docs/exercises/checks/slow_squares.wgsl";
  const [given, slow] = await Promise.all(
    [here, kept].map(async (path) => (await Deno.readTextFile(join(root, path))).split("\n")),
  );
  assert.deepEqual(given.slice(2), slow.slice(1));
});

Deno.test("exercise 1: a wrong count gets a thought, not the answer", () => {
  const given = { ...answers, "LoRA, rank 2, beside query, key and value": 110_592 };
  const { solved, says } = checkCounts(given);
  assert.ok(!solved && /110592 is not what is counted.*classifier/.test(says), says);
  assert.ok(!says.includes("120589") && !says.includes("120,589"));
});

Deno.test("exercise 5: sums have to be right, then twice as fast", async () => {
  const watch = (own: number) => (_device: unknown, { name }: Kernel) =>
    Promise.resolve(name.startsWith("slow") ? 4e-3 : own);
  const fast = await judge(fastKernel, watch(1e-3));
  assert.ok(fast.solved, fast.says);
  assert.match(fast.says, /^4\.0 times as fast: 4000 µs before, 1000 µs now at \[512, 4096\]/);
  const slower = await judge(fastKernel, watch(3e-3));
  assert.ok(!slower.solved && slower.says.startsWith("1.3 times as fast, 2 are wanted"));
  const wrong = await judge(fastKernel.replace("i < 64;", "i < 63;"), watch(1e-3));
  assert.ok(!wrong.solved && /At \[70, 132\].* off by|At \[5, 1028\]/.test(wrong.says), wrong.says);
  const broken = await judge(fastKernel.replace("sum +=", "sum ="), watch(1e-3));
  assert.ok(!broken.solved, broken.says);
  const invalid = await judge(`${fastKernel} no kernel`, watch(1e-3));
  assert.ok(
    !invalid.solved && /does not run: Kernel squares\.main/.test(invalid.says),
    invalid.says,
  );
});

Deno.test("exercises: a number that there is not is wrong use", async () => {
  for (const args of [["9"], ["one"], [], ["1", "2"]]) {
    const { code, stderr } = await exercise(args);
    assert.equal(code, 2);
    assert.match(stderr, /deno task exercise N, with N from 1 to 5/);
  }
});
