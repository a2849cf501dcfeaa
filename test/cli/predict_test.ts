/** `deno task predict`: a run's probabilities are those of its reference, and of its own training. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { adviceForPrediction } from "../../cli/shared/advice.ts";
import { parsePredictFlags } from "../../cli/predict/flags.ts";
import { predictionLine, predictionTable, rank } from "../../cli/predict/report.ts";
import { openTexts } from "../../cli/predict/texts.ts";
import { findRun } from "../../cli/trained/run.ts";
import { OutOfMemoryError } from "../../engine/errors.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { softmax } from "../../models/training/evaluate.ts";
import { folderTest, golden, goldenFolder, withFolder } from "../files/temporary.ts";
import { baseOf, openGolden } from "../models/goldens.ts";
import { fails, goldenStart, labels, requestOf, save } from "../peft/folders.ts";
import { runPredict, runTrain } from "./command.ts";
import { probabilitiesOf } from "./probabilities.ts";

const hub = { endpoint: "http://127.0.0.1:1", cacheFolder: "/nowhere", offline: true };

/** Labels and worst error of a folder's probabilities against the softmax of the golden logits. */
async function compareWithGolden(run: string, folder: string, model: string | undefined) {
  const found = await findRun(folder, model, hub);
  const { batches, numbers, close } = await openGolden(run);
  close();
  const actual = await probabilitiesOf(found, batches[0].sentences, 3);
  const errors = actual.map((row, i) => {
    const scores = numbers.logits[i];
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    return Math.max(...row.map((p, label) => Math.abs(p - Math.exp(scores[label]) / sum)));
  });
  assert.equal(errors.length, numbers.logits.length);
  return { labels: found.labels, error: Math.max(...errors) };
}

for (
  const [run, format] of [
    ["lora", "peft"],
    ["dora", "peft"],
    ["roberta-ia3", "peft"],
    ["adapter-houlsby", "adapterhub"],
  ]
) {
  Deno.test(`${run}: a folder of ${format} has the probabilities of the reference`, async () => {
    const { labels, error } = await compareWithGolden(run, golden(run, format), baseOf(run));
    assert.ok(error < 1e-5, `off by ${error}`);
    if (format === "peft") assert.deepEqual(labels, [0, 1, 2, 3, 4].map((id) => `LABEL_${id}`));
  });
}

folderTest("full: a model's folder has them, and needs no base", async (folder) => {
  const { files } = await loadTokenizer(goldenFolder("model"));
  const weights = await goldenStart("full");
  await save(folder, requestOf({ method: "full" }, weights, { tokenizerFiles: files }));
  const compared = await compareWithGolden("full", folder, undefined);
  assert.ok(compared.error < 1e-5, `off by ${compared.error}`);
  assert.deepEqual(compared.labels, labels);
});

Deno.test("runs that were trained just now, from the shell", async (test) => {
  await withFolder(async (folder) => {
    const maxSamples = 150;
    const experiment = join(folder, "tried");
    const shared = ["--output_dir", folder, "--experiment", "tried", "--no_tune", "--seed", "7"];
    const data = ["--use_sample", "--max_samples", `${maxSamples}`, "--model_name", "mini"];
    const steps = ["--num_epochs", "1", "--warmup_steps", "0", "--learning_rate", "2e-3"];
    const dataset = await loadDataset({ useSample: true, hub });
    const split = stratifiedSplit(dataset, { seed: 7, maxSamples });
    const file = join(folder, "test.jsonl");
    const rows = split.test.map(({ text }) => JSON.stringify({ words: text }));
    await Deno.writeTextFile(file, [...rows, '{"words": " "}'].join("\n"));

    const alone: string[][] = [];

    for (
      const [name, ...method] of [
        ["full", "--method", "full"],
        ["lora-r8", "--method", "lora", "--rank", "8", "--frozen_dtype", "bf16"],
        ["adapter-16", "--method", "adapter", "--size", "16", "--max_length", "9"],
      ]
    ) {
      await test.step(`${name}: the test part has the loss and the confusions of training`, async () => {
        const trained = await runTrain([...shared, ...data, ...steps, ...method]);
        assert.equal(trained.code, 0, trained.stderr);
        const run = join(experiment, name);
        const args = ["--run", run, "--json", "--file", file, "--text_column", "words"];
        const { code, stdout, stderr } = await runPredict(args);
        assert.equal(code, 0, stderr);
        assert.equal(stderr, `1 of ${rows.length + 1} rows is empty: left out.\n`);
        alone.push(stdout.trimEnd().split("\n"));
        const lines = alone[alone.length - 1].map((line) => JSON.parse(line));
        assert.deepEqual(lines.map(({ text }) => text), split.test.map(({ text }) => text));
        const confusion = dataset.labels.map(() => dataset.labels.map(() => 0));
        let loss = 0;
        for (const [row, { label, probability, probabilities }] of lines.entries()) {
          const truth = split.test[row].label;
          confusion[truth][dataset.labels.indexOf(label)]++;
          loss -= Math.log(probabilities[dataset.labels[truth]]) / lines.length;
          const all = Object.values<number>(probabilities);
          assert.equal(all.length, dataset.labels.length);
          assert.equal(probability, Math.max(...all));
          assert.ok(Math.abs(all.reduce((a, b) => a + b) - 1) < 1e-12);
        }
        const told = JSON.parse(await Deno.readTextFile(join(run, "run.json"))).test;
        assert.ok(Math.abs(loss - told.loss) < 1e-9, `${loss} instead of ${told.loss}`);
        assert.deepEqual(confusion, told.confusion_matrix);
      });
    }

    await test.step("all of them in one call say, to the last digit, what each says alone", async () => {
      const names = ["full", "lora-r8", "adapter-16"];
      const runs = names.flatMap((name) => ["--run", join(experiment, name)]);
      const args = [...runs, "--json", "--file", file, "--text_column", "words"];
      const { code, stdout, stderr } = await runPredict(args);
      assert.equal(code, 0, stderr);
      const expected = rows.flatMap((_, row) =>
        names.map((run, place) => {
          const { text, ...said } = JSON.parse(alone[place][row]);
          return JSON.stringify({ text, run, ...said });
        })
      );
      assert.deepEqual(stdout.trimEnd().split("\n"), expected);
      const told = stderr.trimEnd().split("\n").slice(1);
      assert.match(told[0], new RegExp(`^3 runs give \\d+ of ${rows.length} texts one label\\.$`));
      assert.deepEqual(told.slice(1).map((line) => line.replace(/[\d.,]+ ms/g, "N ms")), [
        "Base mini in bf16: loaded once, in N ms",
        "Base mini: loaded once, in N ms",
        ...["full: 1,645,325 values (a whole model)", "lora-r8: 18,061 values of its own"]
          .map((run) => `${run} in N ms; N ms a sentence`),
        "adapter-16: 5,917 values of its own in N ms; N ms a sentence",
      ]);
    });

    await test.step("lines of standard input, and texts, become the same table", async () => {
      const run = ["--run", join(experiment, "full"), "--top_k", "2"];
      const lines = await runPredict(run, "I am happy\r\n\n  Go away  \n");
      assert.equal(lines.code, 0, lines.stderr);
      assert.match(lines.stdout, /^Text +Label +Probability\n─/);
      assert.equal(lines.stdout.trimEnd().split("\n").length, 2 + 2 * 2);
      const given = await runPredict([...run, "I am happy", "Go away"]);
      assert.equal(given.stdout, lines.stdout);
    });

    await test.step("an experiment of several runs is an error that names them", async () => {
      const { code, stdout, stderr } = await runPredict(["--run", experiment, "a text"]);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^Error: .*tried holds several runs: adapter-16, full, lora-r8\. Name one/,
      );
    });

    await test.step("an experiment of one run is that run", async () => {
      for (const name of ["full", "adapter-16"]) {
        await Deno.remove(join(experiment, name), { recursive: true });
      }
      const found = await findRun(experiment, undefined, hub);
      assert.equal(found.method.method, "lora");
      assert.equal(found.frozenDtype, "bf16");
    });

    await test.step("--max_length beyond the model is refused", async () => {
      const args = ["--run", experiment, "--max_length", "513", "a text"];
      const { code, stderr } = await runPredict(args);
      assert.equal(code, 2);
      assert.match(stderr, /^Error: --max_length 513 is more than the model's 512 positions\.\n$/);
    });
  });
});

Deno.test("wrong use ends with exit code 2, what is not there with 1", async () => {
  const cases: [string[], number, RegExp][] = [
    [["a text"], 2, /^Error: Say which run with --run FOLDER\./],
    [["--run", "nowhere", "a text"], 1, /^Error: There is no folder nowhere\.\n$/],
    [["--run", "engine", "a text"], 1, /neither adapter_config\.json nor config\.json/],
    [["--run", "x"], 2, /holds no text\. Give texts as arguments, --file .* or lines on standard/],
    [["--run", "x", "--file", "a.csv", "a text"], 2, /contradict each other/],
    [["--run", "x", "--text_column", "y", "a text"], 2, /--file, which is not given/],
    [["--run", "x", "--quoting", "none", "a text"], 2, /^Error: --quoting is of --file, which/],
    [["--run", "x", "--batch-sise", "8"], 2, /Did you mean .*--batch_size.*predict --help\.\n$/],
    [["--run", golden("lora", "peft"), "a text"], 1, /Give --model_name a folder/],
  ];
  for (const [args, exitCode, message] of cases) {
    const { code, stdout, stderr } = await runPredict(args);
    assert.match(stderr, message);
    assert.equal(code, exitCode, stderr);
    assert.equal(stdout, "");
  }
});

Deno.test("standard input that is not UTF-8 is refused", async () => {
  const nothing = { texts: [], file: undefined, textColumn: undefined };
  const latin = new Blob([new Uint8Array([0xe9])]).stream();
  await fails(openTexts(nothing, { readable: latin }), /not UTF-8/);
  const folder = Object.assign(new Error("Is a directory (os error 21)"), { code: "EISDIR" });
  const readable = new ReadableStream({ pull: (controller) => controller.error(folder) });
  await fails(openTexts(nothing, { readable }), /^Cannot read standard input: it is a folder\.$/);
});

Deno.test("a run.json of another shape is refused, one with the labels alone will do", async () => {
  for (
    const [record, message] of [
      [{ labels }, undefined],
      [{ labels, hyperparameters: { max_length: "long" } }, /run\.json: "hyperparameters\.max_len/],
      [{ labels, hyperparameters: { max_length: 2 } }, /run\.json: "hyperparameters\.max_len/],
      [{ labels, hyperparameters: { batch_size: -3.5 } }, /run\.json: "hyperparameters\.batch_s/],
      [{ labels, model: { name: "" } }, /run\.json: "model\.name"/],
      [{ labels, hyperparameters: { batch_size: 0 } }, /run\.json: "hyperparameters\.batch_s/],
    ] as const
  ) {
    await withFolder(async (folder) => {
      for (const name of await goldenFolder("lora", "peft").list()) {
        await Deno.copyFile(golden("lora", "peft", name), join(folder, name));
      }
      await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify(record));
      const found = findRun(folder, golden("model"), hub);
      if (message) await fails(found, message);
      else assert.deepEqual((await found).labels, labels);
    });
  }
});

Deno.test("labels are ranked; a table cuts the text, --top_k cuts the ranks", () => {
  const text = `${"long ".repeat(30)}\nend`;
  const ranked = { text, ranked: rank(["a", "b", "c"], Float64Array.of(0.25, 0.5, 0.25)) };
  assert.deepEqual(ranked.ranked.map(({ label }) => label), ["b", "a", "c"]);
  const table = predictionTable([ranked], 2, 50);
  assert.equal(table.length, 4);
  for (const line of table) assert.ok(line.length <= 50, line);
  assert.match(table[2], /^long .*… {2}b +0\.5000$/);
  assert.match(table[3], /^ +a +0\.2500$/);
  assert.deepEqual(JSON.parse(predictionLine({ ...ranked, text: "x" }, 2)), {
    text: "x",
    label: "b",
    probability: 0.5,
    probabilities: { b: 0.5, a: 0.25 },
  });
  const large = softmax(Float32Array.of(1000, 1000 + Math.log(3)));
  assert.ok(Math.abs(large[1] - 0.75) < 1e-4, "no overflow");
});

Deno.test("help fits 80 columns; what follows -- is text; advice names flags that exist", () => {
  const help = parsePredictFlags(["--help"]);
  assert.ok(help.kind === "help");
  for (const line of help.text.split("\n")) assert.ok(line.length <= 80, line);
  const parsed = parsePredictFlags(["--top-k", "2", "--", "--well-then"]);
  assert.ok(parsed.kind === "flags");
  assert.deepEqual([parsed.flags.topK, parsed.flags.texts], [2, ["--well-then"]]);
  const column = { kind: "nameColumn", column: "text" } as const;
  for (
    const error of [
      new UserError("No model.", { remedy: { kind: "otherModel" } }),
      new UserError("No column.", { remedy: column }),
      new OutOfMemoryError({ bytes: 1, held: 0, purpose: "logits", use: "batch" }),
    ]
  ) {
    const flags = adviceForPrediction(error)?.match(/--\w+/g) ?? [];
    assert.ok(flags.length > 0, error.message);
    for (const flag of flags) assert.ok(help.text.includes(flag), flag);
  }
  const moreSamples = { kind: "moreSamples", least: 6 } as const;
  assert.equal(adviceForPrediction(new UserError("Few.", { remedy: moreSamples })), undefined);
});
