/** `deno task bench:mpi`: what sums over ranks take, and steps with them; and what is to be expected of more ranks. */
import { object } from "@optique/core/constructs";
import { choice } from "@optique/core/valueparser";
import type { InferValue } from "@optique/core/parser";
import { backendFlag } from "../cli/shared/backend.ts";
import { flag, parseCommand, switchOn, valueOf, whole } from "../cli/shared/flag_parser.ts";
import { parsePositive, parseText } from "../cli/shared/flag_values.ts";
import type { Communicator } from "../cli/mpi/communicator.ts";
import { joinRanks } from "../cli/mpi/join.ts";
import { createDevice } from "../engine/device.ts";
import { alone } from "../models/training/ranks.ts";
import { print, printJson, progress, runCommand, tableWidth, writeResult } from "./command.ts";
import { resultHead, resultPath } from "./environment.ts";
import { methodsFlag } from "./methods_flag.ts";
import { mergedWith } from "./mpi/kept.ts";
import { timeCopies, timeReductions, timeSteps, type Where } from "./mpi/measure.ts";
import type { Network } from "./mpi/model.ts";
import { predict } from "./mpi/predict.ts";
import { copyTable, reductionTable, sharedStepTable } from "./mpi/tables.ts";
import type { MpiResult, ReductionRow } from "./schema.ts";
import { modelNames } from "./step_bench.ts";

const parser = object({
  ...backendFlag,
  model: flag("--model", choice(modelNames, { metavar: "NAME" }), "As of bench:step", "mini"),
  ...methodsFlag,
  batch: whole("--batch", "Sentences of one rank's step", "32", 1),
  length: whole("--length", "Tokens a sentence", "32", 1, 512),
  reduction: switchOn("--reduction", "Sums alone, without a GPU"),
  largest: flag("--largest", valueOf("N", parsePositive, 1), "MB of the largest sum", "438"),
  network: flag("--network", valueOf("TEXT", parseText, ""), "How tables name the network", "-"),
  gbits: flag("--gbits", valueOf("X", parsePositive, 1), "Its Gbit/s, to show the model's", "-"),
  predict: switchOn(
    "--predict",
    "bert-base on 2 to 64 hosts, from terms measured here and assumed",
  ),
  write: switchOn("--write", "Keep the result in bench/results/"),
  json: switchOn("--json", "Print the result as JSON on stdout"),
});

type Flags = InferValue<typeof parser>;
const command = "deno task bench:mpi";

/** 4 B to 64 MB, and what an adapter, LoRA and all weights of bert-base sum. */
const sizes = [4, 1 << 10, 1 << 14, 437_000, 1_220_000, 1 << 22, 1 << 26, 438_000_000];

/** One process, where no launcher started more. */
const noOthers: Communicator = {
  ...alone,
  sum() {},
  host: "",
  localRank: 0,
  localSize: 1,
  library: "none",
  broadcast: (bytes = new Uint8Array()) => bytes,
  gather: (bytes) => [bytes],
  barrier() {},
  abort: (exitCode) => Deno.exit(exitCode),
  finalize() {},
};

let ranks = noOthers;

/** A network by its rate, and by what the smallest sum took. */
function networkOf(
  [{ ranks, milliseconds, network }]: readonly ReductionRow[],
  gbits: number | undefined,
): Network | undefined {
  if (gbits === undefined) return undefined;
  const latency = milliseconds / 1000 / Math.ceil(Math.log2(ranks));
  return { name: network, latency, bytesPerSecond: gbits * 1e9 / 8 };
}

async function bench(flags: Flags): Promise<void> {
  const { json, reduction, network = "-", model = "mini", batch = 32, length = 32 } = flags;
  const own = new TextEncoder().encode(ranks.host);
  const hosts = new Set(ranks.gather(own).map((name) => new TextDecoder().decode(name))).size;
  const where: Where = { ranks: ranks.size, hosts, network };
  const tell = (lines: string[]) => {
    if (ranks.rank === 0) print(lines, json);
  };
  const telling = (text: string) => {
    if (ranks.rank === 0) progress(text);
  };
  tell([`${ranks.size} ranks on ${hosts} hosts, ${ranks.library}`, ""]);
  const most = (flags.largest ?? 438) * 1e6;
  const reductions = ranks.size === 1 ? [] : timeReductions(
    ranks,
    where,
    sizes.filter((bytes) => bytes <= most),
    (bytes) => telling(`a sum of ${bytes} bytes`),
  );
  telling("");
  if (reductions.length > 0) {
    tell([...reductionTable(reductions, networkOf(reductions, flags.gbits), tableWidth()), ""]);
  }
  if (reduction) {
    if (json && ranks.rank === 0) printJson({ ...where, reductions });
    return ranks.finalize();
  }
  const device = await createDevice();
  const result: MpiResult = {
    kind: "mpi",
    ...resultHead(device.info),
    library: ranks.library,
    copies: [],
    reductions,
    steps: [],
  };
  for (const method of flags.methods ?? ["full", "lora", "adapter"] as const) {
    telling(`${model} ${method}`);
    result.steps.push(...await timeSteps(device, ranks, where, { model, method, batch, length }));
  }
  telling("");
  tell([...sharedStepTable(result.steps, tableWidth()), ""]);
  // One rank at a time would be fairer to GPUs that are shared; but that is how steps find them.
  result.copies = await timeCopies(device, [4, 1 << 20, 1 << 24, 1 << 26]);
  tell([...copyTable(result.copies, tableWidth()), ""]);
  device.destroy();
  if (ranks.rank === 0) {
    if (flags.write) {
      const path = resultPath(result);
      const whole = await mergedWith(path, result);
      await writeResult(path, `${JSON.stringify(whole, null, 2)}\n`, json);
    }
    if (json) printJson(result);
  }
  ranks.finalize();
}

if (import.meta.main) {
  const parsed = parseCommand(parser, Deno.args, {
    command,
    brief:
      "Times sums over the ranks of an mpirun, and training steps on random weights with them.",
    examples: [
      "bench:mpi --methods lora",
      "bench:mpi --predict",
    ],
  });
  const load = () => {
    ranks = joinRanks() ?? noOthers;
  };
  const run = (flags: Flags) => flags.predict ? predict(flags.json) : bench(flags);
  Deno.exit(await runCommand(parsed, command, run, load));
}
