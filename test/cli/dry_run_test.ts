import assert from "node:assert/strict";
import { join } from "node:path";
import { runTrain } from "./command.ts";
import { withFolder } from "../files/temporary.ts";

const counts = [109492237, 157453, 304909, 599821, 109133, 207501, 404237];

Deno.test("--dry_run counts the seven runs of bert-base-uncased with 13 classes", async () => {
  const json = await runTrain(["--dry_run", "--json"]);
  assert.equal(json.code, 0, json.stderr);
  assert.equal(json.stderr, "");
  const report = JSON.parse(json.stdout);
  assert.equal(report.model, "bert-base-uncased");
  assert.equal(report.classes, 13);
  const trainable = report.runs.map((run: { trainable_params: number }) => run.trainable_params);
  assert.deepEqual(trainable, counts);

  const table = await runTrain(["--dry-run"]);
  assert.equal(table.code, 0, table.stderr);
  for (const count of counts) {
    assert.ok(table.stdout.includes(count.toLocaleString("en-US")), String(count));
  }
  for (const line of table.stdout.split("\n")) assert.ok(line.length <= 80, line);
});

Deno.test("--dry_run counts what IA3, DoRA and LoRA's other settings train", async () => {
  const head = 13 * 768 + 13;
  const loraOf = (layers: number) => layers * 2 * 2 * 8 * 768; // A and B of query and value
  /** Of 12 layers with two LayerNorms each, of the embeddings' LayerNorm and of the pooler. */
  const biases = 12 * (7 * 768 + 3072) + 2 * 768;
  const lora = ["--method", "lora", "--rank", "8"];
  const cases: [args: string[], run: string, config: string, trainable: number][] = [
    [["--method", "ia3"], "ia3", "-", 12 * (3 * 768 + 3072) + head],
    [[...lora, "--use_dora"], "lora-r8-dora", "r=8, dora", loraOf(12) + 12 * 2 * 768 + head],
    [[...lora, "--lora_layers", "0,3"], "lora-r8-l0_3", "r=8, layers=0+3", loraOf(2) + head],
    [
      [...lora, "--lora_modules_to_save", "pooler"],
      "lora-r8-save_pooler",
      "r=8, +pooler",
      loraOf(12) + 768 * 768 + 768 + head,
    ],
    [
      [...lora, "--lora_bias", "all"],
      "lora-r8-bias_all",
      "r=8, bias=all",
      loraOf(12) + biases + head,
    ],
  ];
  for (const [args, run, config, trainable] of cases) {
    const { code, stdout, stderr } = await runTrain(["--dry_run", "--json", ...args]);
    assert.equal(code, 0, stderr);
    const { runs } = JSON.parse(stdout);
    assert.deepEqual(
      runs.map((each: Record<string, unknown>) => [each.run, each.config, each.trainable_params]),
      [[run, config, trainable]],
    );
  }
});

Deno.test("--dry_run tells no rate where one will be searched for, and a method of several seeds once", async () => {
  const args = ["--dry_run", "--model_name", "mini", "--method", "lora", "--rank", "8"]
    .concat("--learning_rate", "shared,tune", "--seeds", "1,2");
  const { runs } = JSON.parse((await runTrain([...args, "--json"])).stdout);
  assert.deepEqual(
    runs.map((each: { run: string; hyperparameters: { learning_rate: number; seed: number } }) => [
      each.run,
      each.hyperparameters.learning_rate,
      each.hyperparameters.seed,
    ]),
    [
      ["lora-r8-s1", 2e-3, 1],
      ["lora-r8-tuned-s1", null, 1],
      ["lora-r8-s2", 2e-3, 2],
      ["lora-r8-tuned-s2", null, 2],
    ],
  );
  const { stdout } = await runTrain(args);
  const rows = stdout.split("\n").filter((line) => line.startsWith("LoRA"))
    .map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(rows.map(([label, , , , , rate]) => [label, rate]), [
    ["LoRA", "2e-3"],
    ["LoRA tuned", "tune"],
  ]);
});

Deno.test("--dry_run takes the number of classes from a file that is at hand", () =>
  withFolder(async (folder) => {
    const rows = ["text,label"];
    for (const label of ["a", "b", "c"]) {
      for (let row = 0; row < 4; row++) rows.push(`sentence ${row} of ${label},${label}`);
    }
    rows.push("sentence 4 of c,C");
    const file = join(folder, "three classes.csv");
    await Deno.writeTextFile(file, `${rows.join("\n")}\n`);
    const { code, stdout, stderr } = await runTrain(
      ["--dry_run", "--json", "--dataset", file, "--method", "adapter", "--size", "64"]
        .concat("--label_case", "fold"),
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stderr.replace(/[!\s]+/g, " "),
      /"c" \(4 rows\) and "C" \(1 row\)\. Each group is one class/,
    );
    const report = JSON.parse(stdout);
    assert.equal(report.classes, 3);
    assert.equal(report.runs[0].trainable_params, 768 * 64 * 2 + 64 + 768 + 3 * 768 + 3);
  }));

Deno.test("wrong use ends with exit code 2 and one sentence on stderr", async () => {
  for (
    const args of [
      ["--rank", "x"],
      ["--batch_size", "0"],
      ["--learning_rate", "-1"],
      ["--lerning_rate", "1"],
      ["--dry_run", "--lora_target_modules", "nothing"],
      ["--dry_run", "--lora_layers", "0,12"],
      ["--dry_run", "--lora_modules_to_save", "poolr"],
      ["--dry_run", "--lora_bias", "some"],
      ["--dry_run", "--method", "ia3", "--ia3_target_modules", "nothing"],
    ]
  ) {
    const { code, stdout, stderr } = await runTrain(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^Error: .*\.\n$/);
  }
});

Deno.test("what cannot be found ends with exit code 1 and names the ways out", async () => {
  const { code, stdout, stderr } = await runTrain(["--dry_run", "--model_name", "no such folder"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /no such folder.*mini/);
});

Deno.test("--dry_run tells of the data what training tells, and of a file that is not there", () =>
  withFolder(async (folder) => {
    const dataset = join(folder, "data.csv");
    const dryRun = (name: string) =>
      runTrain(["--dry_run", "--method", "full", "--model_name", "mini", "--dataset", name]);
    await Deno.writeTextFile(dataset, "text,label\na,Joy\nb,joy\nc,fear\n");
    const read = await dryRun(dataset);
    assert.equal(read.code, 0, read.stderr);
    assert.match(read.stderr, /--label_case fold/);
    const missing = await dryRun(join(folder, "other.csv"));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /There is no file or folder .*other\.csv/);
    assert.match(
      (await dryRun("org/name")).stdout,
      /13 classes \(assumed: the data set is not read/,
    );
  }));
