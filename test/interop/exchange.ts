/**
 * Reads what Python's programs saved, and writes for them what they are to read: every kind again with other
 * weights, and what this program makes alone. See README.md.
 *
 *     deno run -A test/interop/exchange.ts <their folder> <our folder> <rows.json>
 */
import { join } from "node:path";
import { openBase, type TrainedRun } from "../../cli/trained/run.ts";
import { createDevice, type Device } from "../../engine/device.ts";
import { sizeOf } from "../../engine/shape.ts";
import { messageOf } from "../../models/errors.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { exportRun, type NamedTensors } from "../../models/peft/export.ts";
import { mergeRun } from "../../models/peft/merge.ts";
import { type Method, methodParameters } from "../../models/peft/methods.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { type Expected, expectedOf, kindsIn, logitsOf, runOf, worst } from "./kinds.ts";

/** A row of the table; a text for what failed. */
export interface Row {
  kind: string;
  direction: string;
  difference: number | string;
}

/** The names of the goldens' classes, which PEFT's folders do not have. */
const labels = ["sadness", "joy", "love", "anger", "fear"];

/** Numbers in [-1, 1), the same in every run (Knuth's MMIX generator, its upper bits). */
function numbers(seed: bigint): () => number {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 11n) / 2 ** 52 - 1;
  };
}

/** Weights as a little more training might leave them: no value stays as it was, none is zero. */
function changed(weights: NamedTensors, seed: bigint): NamedTensors {
  const next = numbers(seed);
  return new Map([...weights].map(([name, { shape, data }]) => [
    name,
    { shape, data: data.map((value) => value * (1 + 0.1 * next()) + 0.05 * next()) },
  ]));
}

/** Writes a run into a folder in the format of its method. */
async function write(folder: string, { model, method, weights }: TrainedRun): Promise<void> {
  const base = hostFolder(model.folder);
  const { files } = await loadTokenizer(base, model.config.vocabSize);
  const baseModel = { name: `golden-${model.config.type}`, folder: base };
  const tokenizerFiles = method.method === "full" ? files : [];
  await Deno.mkdir(folder, { recursive: true });
  await writeFiles(
    folder,
    await exportRun({ method, config: model.config, labels, baseModel, weights, tokenizerFiles }),
  );
}

/** Makes a kind of runs and says what they are to compute. */
async function make(
  ours: string,
  kind: string,
  expected: Pick<Expected, "base" | "sentences">,
  runs: { name: string; written: TrainedRun; logits: number[][] }[],
): Promise<void> {
  const logits: Expected["logits"] = {};
  for (const run of runs) {
    await write(join(ours, kind, "saved", run.name), run.written);
    logits[run.name] = run.logits;
  }
  const content = { made_with: "this program", ...expected, logits };
  await Deno.writeTextFile(join(ours, kind, "expected.json"), JSON.stringify(content));
}

/** Reads a kind of theirs and writes it with other weights. */
async function exchange(
  device: Device,
  theirs: string,
  ours: string,
  kind: string,
): Promise<Row> {
  const expected = await expectedOf(theirs, kind);
  const { base, sentences } = expected;
  const direction = `${expected.made_with} to here`;
  try {
    const runs = [];
    let difference = 0;
    for (const [name, wanted] of Object.entries(expected.logits)) {
      const run = await runOf(theirs, kind, name, expected);
      difference = Math.max(difference, worst(await logitsOf(device, run, sentences), wanted));
      const written = { ...run, labels, weights: changed(run.weights, 7n) };
      runs.push({ name, written, logits: await logitsOf(device, written, sentences) });
    }
    await make(ours, kind, { base, sentences }, runs);
    return { kind, direction, difference };
  } catch (error) {
    return { kind, direction, difference: messageOf(error) };
  }
}

/** A run merged into its base, and what it computed before. */
async function makeMerged(device: Device, theirs: string, ours: string, kind: string) {
  const expected = await expectedOf(theirs, kind);
  const run = await runOf(theirs, kind, ".", expected);
  const { config } = run.model;
  const base = await openBase(run);
  const { weights } = await mergeRun(run, { config, classes: labels.length, base })
    .finally(() => base.close());
  const written: TrainedRun = { ...run, method: { method: "full" }, weights };
  const logits = await logitsOf(device, run, expected.sentences);
  const { sentences } = expected;
  await make(ours, `merged-${kind}`, { base: null, sentences }, [{ name: ".", written, logits }]);
}

/** One bottleneck in all layers, which becomes a seq_bn adapter with equal layers. */
async function makeShared(device: Device, theirs: string, ours: string) {
  const expected = await expectedOf(theirs, "adapters-seq-bn");
  const run = await runOf(theirs, "adapters-seq-bn", ".", expected);
  const method: Method = { method: "adapter", size: 6, placement: "shared" };
  const trained = methodParameters(run.model.config, method, labels.length)
    .filter(({ trainable }) => trainable);
  const zeros: NamedTensors = new Map(
    trained.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]),
  );
  const weights = changed(changed(zeros, 1n), 2n);
  const written: TrainedRun = { ...run, method, weights };
  const logits = await logitsOf(device, written, expected.sentences);
  const { base, sentences } = expected;
  await make(ours, "adapters-shared", { base, sentences }, [{ name: ".", written, logits }]);
}

async function main([theirs, ours, rowsFile]: string[]): Promise<void> {
  const device = await createDevice();
  const rows: Row[] = [];
  for (const kind of kindsIn(theirs)) rows.push(await exchange(device, theirs, ours, kind));
  for (const kind of ["peft-all-linear", "peft-dora", "peft-ia3-regex", "peft-distilbert-lora"]) {
    await makeMerged(device, theirs, ours, kind);
  }
  await makeShared(device, theirs, ours);
  device.destroy();
  await Deno.writeTextFile(rowsFile, JSON.stringify(rows));
}

if (import.meta.main) await main(Deno.args);
