/** The front door, and the shells' completions that it prints. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { main } from "../../cli/peft.ts";
import { bashScript } from "../../cli/peft/bash.ts";
import { commands } from "../../cli/peft/commands.ts";
import { fishScript } from "../../cli/peft/fish.ts";
import { allWords } from "../../cli/peft/words.ts";
import { zshScript } from "../../cli/peft/zsh.ts";
import { withFolder } from "../files/temporary.ts";
import { type Ended, runProgram } from "./command.ts";
import { recorder } from "./recorder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function runPeft(args: string[]): Promise<Ended> {
  const run = ["run", "-q", "--no-check", "-P=commands", "--no-prompt", "cli/peft.ts"];
  return await runProgram(Deno.execPath(), [...run, ...args], {
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
  });
}

/** What the front door prints, and its exit code, on a terminal of so many columns. */
async function said(args: string[], columns = 80) {
  const [stdout, stderr] = [recorder(columns), recorder(columns)];
  const code = await main(args, stdout, stderr);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

Deno.test("every command is a task too, but for what belongs to the front door", () => {
  const door = "deno run -q -P=commands --no-prompt $(deno run -q -P=grants cli/grants.ts net ";
  const own = Object.entries(project.tasks).filter(([, { command }]) =>
    / cli\/\w+\.ts$/.test(command)
  );
  // A sweep's launcher may start programs, which the door may not.
  const apart = ["peft", "sweep", "sweep:task"];
  const names = own.map(([name]) => name).filter((name) => !apart.includes(name));
  assert.deepEqual(
    Object.keys(commands).filter((name) => name !== "completions").sort(),
    names.sort(),
  );
  assert.ok(project.tasks.peft.command.startsWith(door));
});

Deno.test("without a command, or asked for help, the front door lists all, within the terminal", async () => {
  for (const args of [[], ["--help"], ["-h"], ["help"], ["help", "help"]]) {
    for (const columns of [40, 80, 200]) {
      const { code, stdout, stderr } = await said(args, columns);
      assert.deepEqual([code, stderr], [0, ""]);
      const rows = stdout.slice(0, stdout.indexOf("Examples"));
      for (const line of rows.split("\n")) assert.ok(line.length <= columns, line);
      const joined = rows.replace(/\s+/g, " ");
      for (const [name, { summary }] of Object.entries(commands)) {
        assert.ok(joined.includes(` ${name} ${summary}`), `${name}: ${joined}`);
      }
    }
  }
});

Deno.test("an unknown command names the nearest, and exits with 2", async () => {
  for (const args of [["predct"], ["help", "predct"]]) {
    const { code, stdout, stderr } = await said(args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      'Error: There is no command "predct". Did you mean predict? deno task peft lists them all.\n',
    );
  }
  for (const name of ["xyzzy", "--run", "constructor", ""]) {
    const { code, stderr } = await said([name]);
    assert.equal(code, 2);
    assert.match(stderr, /^Error: There is no command "[^"]*"\. deno task peft lists/);
  }
});

Deno.test("a command runs in the same process: its output, its errors, its exit code", async () => {
  for (const args of [["predict", "--help"], ["help", "predict"]]) {
    const help = await runPeft(args);
    assert.equal(help.code, 0, help.stderr);
    assert.match(help.stdout, /^Labels texts [^:]*\nUsage: deno task predict \[flags\]/);
  }
  const wrong = await runPeft(["evaluate", "--rn", "x"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^Error: .*--rn.*Did you mean --run\?.*\n$/);
  const failed = await runPeft(["inspect", "no/such/folder/at all"]);
  assert.equal(failed.code, 1);
  const counted = await runPeft(["train", "--dry_run", "--model_name", "mini", "--json"]);
  assert.equal(counted.code, 0, counted.stderr);
  assert.equal(JSON.parse(counted.stdout).model, "mini");
});

Deno.test("completions know every flag and the values of those that have some", async () => {
  const words = await allWords();
  const scripts = { bash: bashScript(words), zsh: zshScript(words), fish: fishScript(words) };
  for (const { name, flags } of words.commands) {
    if (name === "help") continue;
    const { stdout } = await runPeft([name, "--help"]);
    const told = new Set(stdout.match(/^ {2}--\w+/gm)?.map((flag) => flag.trim()));
    assert.deepEqual(new Set(flags.map((flag) => flag.name)), told, name);
    for (const flag of told) {
      assert.ok(scripts.bash.includes(flag) && scripts.zsh.includes(`'${flag}`), flag);
      assert.ok(scripts.fish.includes(`'__peft_at ${name}' -l ${flag.slice(2)} `), flag);
    }
  }
  const valueOf = (command: string, flag: string) =>
    words.commands.find(({ name }) => name === command)?.flags.find(({ name }) => name === flag)
      ?.value;
  assert.deepEqual(valueOf("train", "--frozen_dtype"), {
    kind: "words",
    words: ["f32", "bf16", "f16"],
  });
  assert.deepEqual(valueOf("train", "--output_dir"), { kind: "folders" });
  assert.deepEqual(valueOf("predict", "--file"), { kind: "files" });
  assert.deepEqual(valueOf("train", "--rank"), { kind: "text" });
  assert.deepEqual(valueOf("train", "--json"), { kind: "none" });
  for (const [shell, script] of Object.entries(scripts)) {
    assert.equal((await runPeft(["completions", shell])).stdout, script);
  }
  assert.equal((await runPeft(["completions", "tcsh"])).code, 2);
});

/** Prints, for each line, what bash would offer: it sets what bash sets and calls what is registered. */
const driver = `
_earlier() { COMPREPLY=("earlier $1"); }
complete -F _earlier deno
. "$0"
. "$0" # twice: it must not take itself for the earlier one
for line in "$@"; do
  COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  program=\${line%% *}
  [[ $(complete -p "\${program##*/}") =~ -F\\ ([^ ]+) ]]
  "\${BASH_REMATCH[1]}" "$program"
  echo "\${COMPREPLY[*]}"
done`;

Deno.test("bash completes commands, flags and values, and leaves the rest to who completed it before", async () => {
  const has = await runProgram("bash", ["-c", "compgen -W 'a b' a"]);
  if (has.code !== 0) return; // no bash on this machine, or one without completion
  const script = bashScript(await allWords());
  const names = [...Object.keys(commands), "help"].join(" ");
  const cases: [string, string][] = [
    ["./denow task train --me", "--method"],
    ["deno task train --method ", "all full lora adapter ia3"],
    ["deno task train --method l", "lora"],
    ["deno task train --method=l", "lora"],
    ["deno task train --frozen-dtype b", "bf16"],
    ["deno task train --rank ", ""],
    ["deno task train --rank 4 --use_dora --rank", "--rank"],
    ["deno task train --output_dir engi", "engine"],
    ['deno task predict --run x "two words" --j', "--json"],
    ["deno task peft ", names],
    ["./denow task peft merge --o", "--output"],
    ["deno task peft help ev", "evaluate"],
    ["deno task peft completions ", "bash zsh fish"],
    ["../denow task tra", "train train:mpi"],
    ["deno task bench:s", "step static"],
    ["deno task --node-modules-dir=manual test:", "gpu dawn browser mpi"],
    ["deno task fmt --ch", "earlier deno"],
    ["deno ru", "earlier deno"],
  ];
  await withFolder(async (folder) => {
    const path = join(folder, "script");
    await Deno.writeTextFile(path, script);
    const lines = cases.map(([line]) => line);
    const ended = await runProgram("bash", ["-c", driver, path, ...lines], { cwd: root });
    assert.deepEqual(
      ended.stdout.split("\n").slice(0, -1).map((found, at) => [lines[at], found]),
      cases,
    );
    assert.equal(ended.stderr, "");
    const elsewhere = await runProgram("bash", ["-c", driver, path, "deno task train --me"], {
      cwd: folder,
    });
    assert.equal(elsewhere.stdout, "earlier deno\n");
  });
});
