/** `deno task bench:step`: whole training steps, and how their cost grows with batch and length. */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { flag, parseCommand, switchOn, valueOf, whole } from "../cli/shared/flag_parser.ts";
import { parseChoices, parseSizes, parseWhole } from "../cli/shared/flag_values.ts";
import { backendFlag } from "../cli/shared/backend.ts";
import { paint } from "../cli/shared/terminal.ts";
import {
  openDevice,
  print,
  printJson,
  progress,
  runCommand,
  stderr,
  stdout,
  tableWidth,
  writeResult,
} from "./command.ts";
import { resultHead, resultPath } from "./environment.ts";
import { methodsFlag } from "./methods_flag.ts";
import { formatShare } from "../kernelbench/format.ts";
import { matmulShare, profileTable } from "./profile.ts";
import type { StepResult, StepRow } from "./schema.ts";
import { benchSteps, type Length, modelNames, type Point } from "./step_bench.ts";
import { pointsOf, stepTable } from "./step_table.ts";

const parser = object({
  ...backendFlag,
  models: flag(
    "--models",
    valueOf<Point["model"][]>("LIST", (text) => parseChoices(text, modelNames), []),
    `${modelNames.join(", ")} (bert-base 64 wide, for the host's time)`,
    "all",
  ),
  ...methodsFlag,
  batches: flag("--batches", valueOf("LIST", parseSizes, []), "Sentences a step", "4 to 64"),
  lengths: flag(
    "--lengths",
    valueOf("LIST", parseLengths, []),
    "Tokens a sentence, or emotion: 15 to 25",
    "8 to 512",
  ),
  grid: switchOn("--grid", "Every batch with every length, bert-base too"),
  steps: whole("--steps", "Timed steps of a block at least", "half a second's", 1),
  blocks: whole("--blocks", "Blocks, whose median counts", "3", 1),
  profile: switchOn("--profile", "Also where a step's time goes, by kernel"),
  write: switchOn("--write", "Keep the result in bench/results/"),
  json: switchOn("--json", "Print the result as JSON on stdout"),
});

const command = "deno task bench:step";

function parseLengths(text: string): Length[] {
  return text.split(",").map((part) =>
    part.trim() === "emotion" ? "emotion" : parseWhole(part.trim(), 1, 512)
  );
}

async function bench(flags: InferValue<typeof parser>): Promise<void> {
  const device = await openDevice();
  const points = pointsOf(flags, device.info.software);
  print([paint(flags.json ? stderr : stdout, "bold", device.info.description), ""], flags.json);
  const results = await benchSteps(device, points, {
    steps: flags.steps,
    blocks: flags.blocks,
    profile: flags.profile,
    report: ({ model, method, batch, length }) =>
      progress(`${model} ${method}, ${batch} sentences of ${length} tokens`),
  });
  progress("");
  const result: StepResult = { kind: "steps", ...resultHead(device.info), results };
  print([...stepTable(results, tableWidth()), "", ...notes(device.info.software)], flags.json);
  for (const row of results.filter(({ profile }) => profile)) print(profileLines(row), flags.json);
  device.destroy();
  if (flags.write) {
    await writeResult(resultPath(result), `${JSON.stringify(result, null, 2)}\n`, flags.json);
  }
  if (flags.json) printJson(result);
}

function profileLines({ model, method, batch, length, profile = [] }: StepRow): string[] {
  const share = formatShare(100 * matmulShare(profile));
  return [
    "",
    `${model} ${method}, ${batch} sentences of ${length} tokens: ${share} % in matrix products`,
    "",
    ...profileTable(profile),
  ];
}

function notes(software: boolean): string[] {
  return [
    "Record: host time a step without queue.submit. Submit: time in queue.submit",
    software
      ? "(a software adapter computes there: it is no waste). Peak: GPU memory held."
      : "(the driver's share of the host time). Peak: GPU memory held.",
  ];
}

if (import.meta.main) {
  const parsed = parseCommand(parser, Deno.args, {
    command,
    brief: "Times training steps on random weights, over batch sizes and sentence lengths.",
    examples: [
      "bench:step --models mini --methods lora",
      "bench:step --models base --batches 16 --lengths emotion",
      "bench:step --models base --methods lora --profile",
      "bench:step --grid --write",
    ],
  });
  Deno.exit(await runCommand(parsed, command, bench));
}
