/** The real command: a model from texts, stopped and gone on with, and what is refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parsePretrainFlags } from "../../cli/pretrain/flags.ts";
import { lossCurve } from "../../cli/pretrain/card.ts";
import { planPretraining } from "../../cli/pretrain/plan.ts";
import { parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { golden, withFolder } from "../files/temporary.ts";
import { runProgram, startProgram } from "./command.ts";

const command = ["run", "-q", "--no-check", "-P=commands", "--no-prompt", "cli/pretrain.ts"];
const env = { NO_COLOR: "1", HF_HUB_OFFLINE: "1" };
const runPretrain = (args: string[]) => runProgram(Deno.execPath(), [...command, ...args], { env });

/** 60 lines of ten words. */
async function writeText(folder: string): Promise<string> {
  const words = ["joy", "is", "good", "i", "was", "sad", "but", "the", "old", "day"];
  const line = (row: number) => words.map((_, at) => words[(row * (at + 3) + at) % 10]).join(" ");
  const path = join(folder, "lines.txt");
  const lines = Array.from({ length: 60 }, (_, row) => `${line(row)} ${row}`);
  await Deno.writeTextFile(path, [...lines, lines[0], ""].join("\n"));
  return path;
}

const small = ["--layers", "1", "--hidden_size", "8", "--heads", "2", "--vocab_size", "60"];

const filesOf = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

async function waitFor(path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} never came.`);
}

Deno.test("a model is distilled; stopped and gone on with, it is the same to the bit", () =>
  withFolder(async (folder) => {
    const text = await writeText(folder);
    const [whole, halves] = [join(folder, "whole"), join(folder, "halves")];
    const args = [
      ...["--text", text, "--teacher", golden("model"), ...small],
      ...["--batch_size", "4", "--max_steps", "60", "--checkpoint_steps", "1"],
    ];
    const ended = await runPretrain([...args, "--output", whole, "--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout);
    assert.deepEqual([report.sentences, report.steps, report.vocab_size], [60, 60, 60]);
    assert.deepEqual(Object.keys(report.evaluations[0].scores), ["pooled_cosine", "mean_cosine"]);
    const files = [
      "README.md",
      "config.json",
      "model.safetensors",
      "tokenizer_config.json",
      "vocab.txt",
    ];
    assert.deepEqual(await filesOf(whole), files);

    const started = startProgram(Deno.execPath(), [...command, ...args, "--output", halves], {
      env,
    });
    await waitFor(join(halves, "checkpoints", "states", "step-2", "state.json"));
    started.process.kill("SIGINT");
    const stopped = await started.ended();
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stderr, /Go on with: deno task pretrain --resume --output .*halves\n$/);
    const again = await runPretrain([...args, "--output", halves]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /has an unfinished pretraining\. --resume --output/);
    const work = join(halves, "checkpoints", "command.json");
    const began = await Deno.readTextFile(work);
    await Deno.writeTextFile(work, JSON.stringify({ ...JSON.parse(began), teacher: "others" }));
    const changed = await runPretrain(["--resume", "--output", halves]);
    assert.equal(changed.code, 1);
    assert.match(changed.stderr, /the teacher's weights are not those that the run began with/);
    await Deno.writeTextFile(work, began);
    const rest = await runPretrain(["--resume", "--output", halves]);
    assert.equal(rest.code, 0, rest.stderr);
    assert.match(rest.stdout, /going on after step \d/);
    for (const name of files.slice(1)) {
      const [a, b] = [whole, halves].map((path) => Deno.readFileSync(join(path, name)));
      assert.deepEqual(a, b, name);
    }

    const model = hostFolder(halves);
    const config = parseConfig(await readJsonObject(model, "config.json"));
    assert.deepEqual([config.layers, config.hiddenSize, config.vocabSize], [1, 8, 60]);
    const weights = await openWeights(model, config, 2);
    assert.deepEqual(weights.notes, [
      "The checkpoint has no classifier: one for 2 classes starts new.",
    ]);
    weights.close();
    await loadTokenizer(model, config.vocabSize);
    const card = await model.text("README.md");
    assert.ok(card.includes("A BERT of 1 layer, 8 wide, with 2 heads and 32 in the"));
    assert.ok(card.includes(`Distilled from \`${golden("model")}\``));
    assert.equal(card.match(/^\| +\d+ \| +\d\.\d{4} \|$/gm)!.length, 20);
  }));

Deno.test("masked words need no teacher; 16 bits are half as long; what is there is not replaced", () =>
  withFolder(async (folder) => {
    const text = await writeText(folder);
    const output = join(folder, "model");
    const args = ["--text", text, "--objective", "mlm", ...small, "--max_steps", "2"];
    const sizes: number[] = [];
    for (const dtype of ["f32", "bf16"]) {
      await Deno.mkdir(output, { recursive: true });
      await Deno.writeTextFile(join(output, "tokenizer.json"), "{}"); // would be read before vocab.txt
      const ended = await runPretrain([
        ...args,
        "--output",
        output,
        "--dtype",
        dtype,
        "--overwrite",
      ]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stdout, /held out: loss of the masked words \d/);
      sizes.push((await Deno.stat(join(output, "model.safetensors"))).size);
    }
    assert.ok(!(await filesOf(output)).includes("tokenizer.json"));
    assert.ok(sizes[1] < 0.6 * sizes[0], `${sizes}`);
    const { architectures } = await readJsonObject(hostFolder(output), "config.json");
    assert.deepEqual(architectures, ["BertForMaskedLM"]);
    const cases: [string[], number, RegExp][] = [
      [[...args, "--output", output], 2, /holds a model already\. --overwrite replaces it/],
      [["--resume", "--output", output], 2, /no unfinished pretraining/],
      [["--resume", "--output", output, "--seed", "1"], 2, /give it --output alone/],
      [args, 2, /--output FOLDER/],
      [
        ["--text", "/nowhere.txt", "--objective", "mlm", "--output", join(folder, "x")],
        1,
        /There is no file/,
      ],
    ];
    const ended = await Promise.all(cases.map(([args]) => runPretrain(args)));
    for (const [index, { code, stderr }] of ended.entries()) {
      assert.match(stderr, cases[index][2]);
      assert.doesNotMatch(stderr, /\n +at /);
      assert.equal(code, cases[index][1], stderr);
    }
    assert.deepEqual(await filesOf(folder), ["lines.txt", "model"]); // nothing of the one that failed
  }));

Deno.test("flags that contradict each other are refused, with what to do", () => {
  const refused = (args: string[], message: RegExp) => {
    const parsed = parsePretrainFlags(args);
    assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
    assert.throws(() => planPretraining(parsed.flags), { exitCode: 2, message });
  };
  const text = ["--text", "a.txt"];
  const mlm = [...text, "--objective", "mlm"];
  refused([], /Name a file of sentences with --text FILE/);
  refused(text, /distil needs a --teacher/);
  refused([...mlm, "--hidden_size", "30"], /multiples of 4/);
  refused([...mlm, "--hidden_size", "32", "--heads", "3"], /32 does not divide into --heads 3/);
  refused([...mlm, "--vocab", "v", "--vocab_size", "90"], /leave --vocab_size 90 out/);
  const parsed = parsePretrainFlags([
    ...mlm,
    "--teacher",
    "x",
    "--max_steps",
    "3",
    "--num_epochs",
    "2",
  ]);
  assert.ok(parsed.kind === "flags");
  const { warnings, sizes, settings } = planPretraining(parsed.flags);
  assert.deepEqual(warnings.map((warning) => warning.split(" ")[0]), ["--teacher", "--num_epochs"]);
  assert.deepEqual([sizes.heads, sizes.intermediateSize, sizes.initializerRange], [4, 512, 0.049]);
  assert.equal(settings.maxSteps, 3);
});

Deno.test("a loss curve's means cover every step", () => {
  assert.deepEqual(lossCurve([3, 1]), [{ step: 1, loss: 3 }, { step: 2, loss: 1 }]);
  const curve = lossCurve(Array.from({ length: 50 }, (_, step) => step));
  assert.equal(curve.length, 20);
  assert.deepEqual([curve[0], curve[19].step], [{ step: 2, loss: 0.5 }, 50]);
});
