/** `deno task merge`: from a run's folder to a whole model's, which predicts what the run does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "../../cli/inspect.ts";
import { writeMerged } from "../../cli/merge.ts";
import { findRun } from "../../cli/trained/run.ts";
import { hostFolder } from "../../models/host/files.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { folderTest, golden, namesIn } from "../files/temporary.ts";
import { baseOf, openGolden } from "../models/goldens.ts";
import { labels } from "../peft/folders.ts";
import { runMerge, runPredict, startProgram, until } from "./command.ts";
import { probabilitiesOf } from "./probabilities.ts";

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };

/** A golden run with a run.json, over a base that has a tokenizer. */
async function copyRun(run: string, folder: string, more: Record<string, unknown> = {}) {
  await Deno.mkdir(folder);
  for (const name of await namesIn(golden(run, "peft"))) {
    await Deno.copyFile(golden(run, "peft", name), join(folder, name));
  }
  await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify({ labels, ...more }));
}

for (const run of ["dora", "distilbert-ia3"]) {
  folderTest(
    `${run}: the merged folder is a model, with the run's probabilities`,
    async (folder) => {
      const [source, output] = [join(folder, "run"), join(folder, "merged")];
      await copyRun(run, source, { hyperparameters: { max_length: 9 }, note: "kept" });
      const args = ["--run", source, "--output", output, "--model_name", baseOf(run), "--json"];
      const { code, stdout, stderr } = await runMerge(args);
      assert.equal(code, 0, stderr);
      const report = JSON.parse(stdout);
      assert.equal(report.command, `deno task predict --run ${output} "TEXT"`);
      const sizes = report.files.map((name: string) => Deno.statSync(join(output, name)).size);
      assert.equal(report.bytes, sizes.reduce((a: number, b: number) => a + b));
      assert.deepEqual(await namesIn(output), report.files.toSorted());
      const record = JSON.parse(await Deno.readTextFile(join(output, "run.json")));
      assert.equal(record.note, "kept");
      assert.deepEqual(record.merged_from, { run: source, base: baseOf(run) });

      const { batches, numbers, close } = await openGolden(run);
      close();
      const merged = await findRun(output, undefined, hub);
      assert.deepEqual([merged.method.method, merged.maxLength], ["full", 9]);
      assert.deepEqual(merged.labels, labels);
      const rows = await probabilitiesOf(merged, batches[0].sentences, 3);
      for (const [i, row] of rows.entries()) {
        const scores = numbers.logits[i].map(Math.exp);
        const sum = scores.reduce((a, b) => a + b);
        for (const [label, p] of row.entries()) assert.ok(Math.abs(p - scores[label] / sum) < 1e-5);
      }
      // A model to train from has it whole, classifier included.
      const weights = await openWeights(hostFolder(output), merged.model.config, labels.length);
      assert.deepEqual(weights.notes, ["The classifier of 5 classes comes from the checkpoint."]);
      weights.close();
    },
  );
}

folderTest("it says what it did, and the command it names works", async (folder) => {
  const [source, output] = [join(folder, "run"), join(folder, "merged")];
  await copyRun("lora", source, { method: "lora", test: { accuracy: 0.5 } });
  const args = ["--run", source, "--output", `${output}/`, "--model_name", golden("model")];
  const { code, stdout, stderr } = await runMerge(args);
  assert.equal(code, 0, stderr);
  const [said, use] = stdout.split("\n");
  assert.match(said, /^lora-r4-d0 merged into 4 layers of .*model: .*merged, [\d.]+ [kM]B$/);
  assert.equal(use, `Use it: deno task predict --run ${output} "TEXT"`);
  const predicted = await runPredict(["--run", output, "--json", "I am happy"]);
  assert.equal(predicted.code, 0, predicted.stderr);
  assert.ok(labels.includes(JSON.parse(predicted.stdout).label));
  const { kind, runs, notes } = await inspect(folder);
  assert.deepEqual([kind, runs?.map(({ run }) => run)], ["experiment", ["run"]], "told once");
  assert.equal(notes[0], "merged is run, merged into its base.");
});

folderTest("the way back: to the base, or to the reason why not", async (folder) => {
  const [source, output, again] = ["run", "merged", "again"].map((name) => join(folder, name));
  await copyRun("ia3", source);
  const run = ["--run", source, "--model_name", golden("model")];
  assert.equal((await runMerge([...run, "--output", output])).code, 0);
  const checked = await runMerge([...run, "--unmerge", output]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(
    checked.stdout,
    /^ia3 taken out of 8 layers of .*merged, which it had .* up to 0\.\d+: .*model again, to \d\.\de-\d /,
  );
  const written = await runMerge([...run, "--unmerge", output, "--output", again, "--json"]);
  const report = JSON.parse(written.stdout);
  assert.deepEqual([report.matches, report.output, report.layers], [true, again, 8]);
  assert.deepEqual(await namesIn(again), report.files.toSorted());
  // What was written is the base with a classifier: nothing can be taken out of it.
  const wrong = await runMerge([...run, "--unmerge", again, "--output", join(folder, "x")]);
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stdout, "");
  assert.match(
    wrong.stderr,
    /^Error: Without the run's adapter, .*again is not .* is off by 0\.\d+, /,
  );
  const told = await runMerge([...run, "--unmerge", again, "--json"]);
  assert.equal(told.code, 1);
  assert.equal(JSON.parse(told.stdout).matches, false);
  for (
    const [path, message] of [[source, /no merged model of/], ["nowhere", /There is no folder/]]
  ) {
    const { code, stderr } = await runMerge([...run, "--unmerge", `${path}`]);
    assert.equal(code, 1);
    assert.match(stderr, message as RegExp);
    assert.doesNotMatch(stderr, /--model_name/);
  }
  assert.deepEqual(await namesIn(folder), ["again", "merged", "run"]);
});

folderTest("what is there already is refused; a failure leaves nothing behind", async (folder) => {
  const source = join(folder, "run");
  await copyRun("lora", source);
  const base = ["--model_name", golden("model")];
  const taken = await runMerge(["--run", source, "--output", source, ...base]);
  assert.equal(taken.code, 2);
  assert.match(taken.stderr, /^Error: .*run is there already\. Name another --output/);
  const found = await findRun(source, golden("model"), hub);
  // A folder that appears while the model is being written is not replaced either.
  const output = join(folder, "merged");
  const racing = new (class extends Set<string> {
    override add(path: string) {
      Deno.mkdirSync(output);
      return super.add(path);
    }
  })();
  await assert.rejects(writeMerged(found, output, racing), /is there already/);
  assert.deepEqual(await namesIn(folder), ["merged", "run"]);
  assert.deepEqual(await namesIn(output), []);
});

folderTest("wrong use ends with 2; adapters and whole models with 1", async (folder) => {
  const output = join(folder, "merged");
  const adapter = golden("adapter-houlsby", "adapterhub");
  const cases: [string[], number, RegExp][] = [
    [["--run", "x"], 2, /--output FOLDER\. See deno task merge --help\.\n$/],
    [["--run", "x", "--outptu", output], 2, /merge --help\.\n$/],
    [["--run", "nowhere", "--output", output], 1, /^Error: There is no folder nowhere\.\n$/],
    [["--run", golden("lora", "peft"), "--output", output], 1, /Give --model_name a folder/],
    [["--run", adapter, "--output", output, "--model_name", golden("model")], 1, /nonlinearity/],
  ];
  for (const [args, exitCode, message] of cases) {
    const { code, stdout, stderr } = await runMerge(args);
    assert.match(stderr, message);
    assert.equal(code, exitCode, stderr);
    assert.equal(stdout, "");
  }
  assert.deepEqual(await namesIn(folder), []);
  const help = await runMerge(["--help"]);
  assert.equal(help.code, 0);
  for (const line of help.stdout.split("\n")) assert.ok(line.length <= 80, line);
});

folderTest(
  "an output that cannot be written is named, and not its temporary folder",
  async (folder) => {
    const [source, file] = [join(folder, "run"), join(folder, "file")];
    await copyRun("lora", source);
    await Deno.writeTextFile(file, "");
    const output = join(file, "merged");
    const { code, stderr } = await runMerge([
      ...["--run", source, "--output", output, "--model_name", golden("model")],
    ]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `Error: Cannot write ${output}: a part of the path is a file, not a folder. ` +
        `Name another folder with --output.\n`,
    );
  },
);

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  folderTest(`${signal} leaves nothing half-written`, async (folder) => {
    const half = join(folder, ".merged.tmp");
    await Deno.mkdir(half);
    const merge = import.meta.resolve("../../cli/merge.ts");
    const program = `import { cleanUpOnSignals } from ${JSON.stringify(merge)};
      cleanUpOnSignals(new Set([${JSON.stringify(half)}]));
      Deno.writeTextFileSync(${JSON.stringify(join(folder, "ready"))}, "");
      setTimeout(() => {}, 60_000);`;
    const { process, ended } = startProgram(Deno.execPath(), ["eval", "-q", program]);
    await until(async () => (await namesIn(folder)).includes("ready"));
    process.kill(signal);
    assert.deepEqual(await ended(), { code: exitCode, stdout: "", stderr: "" });
    assert.deepEqual(await namesIn(folder), ["ready"]);
  });
}
