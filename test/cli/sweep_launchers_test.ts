/** What a sweep writes for Slurm and Kubernetes, and how it is submitted. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { manifestText, objectName } from "../../cli/sweep/kubernetes.ts";
import { checkLauncher, parseSweepFlags } from "../../cli/sweep/flags.ts";
import { argumentsIn } from "../../cli/sweep/place.ts";
import { ranges, slurmScript, submission } from "../../cli/sweep/slurm.ts";
import { fill } from "../../cli/sweep/template.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { UserError } from "../../models/errors.ts";
import { golden, namesIn, withFolder } from "../files/temporary.ts";
import { runProgram } from "./command.ts";
import { startSweep, sweep } from "./sweep.ts";

const deploy = (name: string) =>
  Deno.readTextFile(new URL(`../../deploy/${name}`, import.meta.url));

const lists = ["--methods", "lora", "--ranks", "4,8", "--seeds", "1,2"];
const data = ["--model_name", "mini", "--use_sample"];
const example = sweep(...lists, ...data, "--experiment", "example");

function array(asked = example, left = [0, 1, 2, 3], jobs?: number, template?: string) {
  return {
    folder: asked.folder,
    project: "/srv/peft",
    arguments: argumentsIn(asked, asked.outputDir),
    tasks: asked.tasks.length,
    left,
    jobs,
    template,
  };
}

function manifest(asked = example, processes = 1, jobs?: number) {
  const { experiment, tasks } = asked;
  const shared = argumentsIn(asked, "/results");
  return { experiment, tasks, arguments: shared, processes, jobs, template: undefined };
}

Deno.test("the files of deploy/ are what a sweep writes for the commands that they name", async () => {
  assert.equal(await slurmScript(array()), await deploy("slurm.sh"));
  assert.equal(await manifestText(manifest()), await deploy("kubernetes.yaml"));
  const one = sweep("--methods", "lora", "--ranks", "8", ...data, "--experiment", "example");
  assert.equal(await manifestText(manifest(one, 4)), await deploy("trainjob.yaml"));
});

Deno.test("each run of several processes has a TrainJob, and an experiment of its own", async () => {
  const names = (await manifestText(manifest(example, 2))).split("\n---\n")
    .map((text) => /^ {2}name: (.*)$/m.exec(text)?.[1]);
  assert.deepEqual(names.length, 4);
  assert.equal(new Set(names).size, 4);
  for (const name of names) assert.match(name!, /^example-lora-r[48]-s[12]$/);
});

Deno.test("for Kubernetes nothing of a pod is read, and the command is one that a shell takes", () =>
  withFolder(async (folder) => {
    const args = [...lists, "--launcher", "kubernetes", "--experiment", "a b"];
    const start = (...more: string[]) =>
      startSweep(folder, [...args, ...more], { modelName: "/a pod's model" }).ended();
    const listed = await start("--dry_run");
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /^results\/a b\/kubernetes\.yaml:\n\n# .*"\/a pod's model"/s);
    assert.deepEqual(await namesIn(folder), []);
    const written = await start();
    assert.equal(written.code, 0, written.stderr);
    const command = "kubectl apply -f 'results/a b/kubernetes.yaml'";
    assert.ok(written.stdout.endsWith(`4 tasks. Start them with: ${command}\n`), written.stdout);
  }));

Deno.test("a script takes any value to the task as it was given", () =>
  withFolder(async (folder) => {
    const odd = join(folder, `it's $HOME "here" \`x\``);
    const asked = sweep(...lists, "--dataset", odd, "--experiment", "a b");
    const script = await slurmScript(array(asked));
    assert.match(script, /^#SBATCH --job-name='a b'$/m);
    const file = join(folder, "set.sh");
    const [line] = script.match(/^set -- .*$/m)!;
    await Deno.writeTextFile(file, `${line}\nprintf '%s\\n' "$@"\n`);
    const { stdout } = await runProgram("sh", [file]);
    assert.deepEqual(stdout.trimEnd().split("\n"), array(asked).arguments);
  }));

Deno.test("a manifest takes any value to the task as it was given", async () => {
  const asked = sweep(...lists, "--dataset", `$(HOSTNAME) "x": y`, "--experiment", "e");
  const [, list] = /^ +args: (.*)$/m.exec(await manifestText(manifest(asked)))!;
  const words = JSON.parse(list).map((word: string) => word.replaceAll("$$(", "$("));
  assert.deepEqual(words, manifest(asked).arguments);
  assert.ok(list.includes("$$(HOSTNAME)"), "no variable of the pod's");
});

Deno.test("what is submitted is what is left, and so many at a time as asked for", () => {
  assert.equal(ranges([0, 1, 2, 4, 7, 8]), "0-2,4,7-8");
  assert.deepEqual(submission(array(example, [1, 2], 2)), [
    ...["--parsable", "--array=1-2%2", "results/example/slurm.sh"],
  ]);
});

Deno.test("names are Kubernetes', and long ones stay apart", () => {
  assert.equal(objectName("My sweep_1.", 50), "my-sweep-1");
  assert.equal(objectName("…", 50), "sweep");
  assert.equal(objectName("007-mini", 50), "sweep-007-mini"); // Trainer's CRD: ^[a-z]([-a-z0-9]*[a-z0-9])?$
  const [a, b] = ["x".repeat(80) + "1", "x".repeat(80) + "2"].map((name) => objectName(name, 36));
  assert.notEqual(a, b);
  assert.match(a, /^x+-[0-9a-f]{8}$/);
  assert.equal(a.length, 36);
});

Deno.test("a template without a line, or with one that goes on, is told", () => {
  assert.equal(fill("a\n  x: 1\nx: 2\n", "t", [["x: ", "3"]]), "a\n  x: 3\nx: 2\n");
  assert.throws(
    () => fill("a\n", "t", [["x: ", "3"]]),
    /no line that begins with "x: ".*deploy\/t/,
  );
  assert.throws(() => fill("x: [\n1]\n", "t", [["x: ", "3"]]), /"x: \[" goes on in the next one/);
});

/** A program named sbatch that keeps its arguments, in a folder for the PATH. */
async function fakeBatch(folder: string, answer: string): Promise<string> {
  const path = join(folder, "bin");
  await Deno.mkdir(path);
  const text = `#!/bin/sh\necho "$@" >${folder}/submitted\n${answer}\n`;
  await Deno.writeTextFile(join(path, "sbatch"), text, { mode: 0o755 });
  return path;
}

const slurm = [...lists, "--experiment", "e", "--launcher", "slurm"];

Deno.test("a sweep is submitted once its script is written", () =>
  withFolder(async (folder) => {
    const path = await fakeBatch(folder, "echo '123;cluster'");
    const { code, stdout, stderr } = await startSweep(folder, slurm, { path }).ended();
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /\nJob 123: 4 tasks of 4 submitted\. Their output goes to results\/e\/output/,
    );
    const submitted = await Deno.readTextFile(join(folder, "submitted"));
    assert.equal(submitted, "--parsable --array=0-3 results/e/slurm.sh\n");
    assert.deepEqual(await namesIn(join(folder, "results/e")), [
      "output",
      "slurm.sh",
      "sweep.json",
    ]);
  }));

Deno.test("a submission that is refused, and a template that is none, are told", () =>
  withFolder(async (folder) => {
    const path = await fakeBatch(folder, "echo 'sbatch: error: no partition' >&2; exit 1");
    const refused = await startSweep(folder, slurm, { path }).ended();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Error: sbatch refuses results\/e\/slurm\.sh: sbatch: error: no partition\n$/,
    );
    const other = ["--experiment", "f", "--launcher", "slurm", "--template", "submitted"];
    const wrong = await startSweep(folder, other, { path }).ended();
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /no line that begins with "#SBATCH --job-name=".*deploy\/slurm\.sh/);
    assert.deepEqual(await namesIn(join(folder, "results")), ["e"], "no folder is made");
  }));

Deno.test("--dry_run lists tasks and what would be started, and makes nothing", () =>
  withFolder(async (folder) => {
    const listed = await startSweep(folder, [...slurm, "--dry_run"]).ended();
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, / 3 {2}lora-r8-s2 +18,061 +1\.09 % +2e-3/);
    assert.match(
      listed.stdout,
      /\nsbatch --parsable --array=0-3 results\/e\/slurm\.sh\n\n#!\/bin\/sh\n/,
    );
    const adapter = ["--dry_run", "--methods", "lora"];
    const model = golden("lora", "peft");
    const refused = await startSweep(folder, adapter, { modelName: model }).ended();
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /is an adapter's folder, with which deno task train goes on/);
    const json = await startSweep(folder, [...lists, "--dry_run", "--json"]).ended();
    const { tasks, launcher, starts } = JSON.parse(json.stdout);
    assert.equal(tasks.length, 4);
    assert.deepEqual([tasks[3].run, tasks[3].done, launcher], ["lora-r8-s2", false, "local"]);
    assert.match(starts, /^Would train 4 tasks here, one after another/);
    assert.deepEqual(await namesIn(folder), []);
  }));

Deno.test("the table of docs/cluster.md has the flags that train has not", async () => {
  const guide = await Deno.readTextFile(new URL("../../docs/cluster.md", import.meta.url));
  const rows = guide.split("\n").filter((line) => line.startsWith("| `--"));
  const told = new Set(rows.flatMap((row) => row.split("|")[1].match(/--\w+/g) ?? []));
  const parsed = parseSweepFlags([]);
  assert.ok(parsed.kind === "flags");
  const train = parseFlags([]);
  assert.ok(train.kind === "flags");
  const own = Object.keys(parsed.flags).filter((name) => !(name in train.flags));
  assert.ok(own.length > 5);
  for (const name of own) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    assert.ok(told.has(flag), flag);
  }
});

Deno.test("flags of another launcher are wrong use", () => {
  const wrong: [string[], RegExp][] = [
    [["--template", "x"], /--template is of --launcher slurm or kubernetes/],
    [
      ["--task", "0", "--launcher", "slurm"],
      /--task trains one task here: leave out --launcher slurm/,
    ],
    [["--processes", "2"], /--processes is of --launcher kubernetes/],
    [["--processes", "2", "--launcher", "kubernetes", "--jobs", "2"], /--jobs has no effect with/],
  ];
  const old = parseSweepFlags(["--rank", "4"]);
  assert.ok(old.kind === "error");
  assert.match(old.message, /--rank\. Did you mean.*--ranks/);
  for (const [args, expected] of wrong) {
    const parsed = parseSweepFlags(args);
    assert.ok(parsed.kind === "flags");
    assert.throws(() => checkLauncher(parsed.flags), (error) => {
      assert.ok(error instanceof UserError && error.exitCode === 2);
      assert.match(error.message, expected);
      return true;
    });
  }
});
