/** `deno task bench`: every kernel at BERT's shapes against the adapter's measured ceilings. */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { flag, parseCommand, switchOn, valueOf, whole } from "../cli/shared/flag_parser.ts";
import { parseText } from "../cli/shared/flag_values.ts";
import { backendFlag } from "../cli/shared/backend.ts";
import { paint } from "../cli/shared/terminal.ts";
import { casesOf } from "../kernelbench/cases.ts";
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
import { benchHalfPrecision } from "../kernelbench/half_precision.ts";
import { benchKernels, type KernelBenchOptions } from "../kernelbench/kernel_bench.ts";
import { ceilingLines, kernelTable } from "./kernel_table.ts";
import type { KernelResult } from "./schema.ts";
import { parseShapes, type Shape } from "../kernelbench/shapes.ts";

const parser = object({
  ...backendFlag,
  shapes: flag(
    "--shapes",
    valueOf<Shape[]>("LIST", parseShapes, []),
    "base, mini, large, TOKENSxHIDDEN, or a product MxNxK",
    "base",
  ),
  filter: flag(
    "--filter",
    valueOf("TEXT", parseText, ""),
    "Only kernels with this in their name",
    "all",
  ),
  samples: whole("--samples", "Samples of each, whose median counts", "5", 1),
  write: switchOn("--write", "Keep the result in bench/results/"),
  json: switchOn("--json", "Print the result as JSON on stdout"),
});

const command = "deno task bench";

const aboveLimit = "Above 100 %: faster than the ceiling's own kernel was, " +
  "by a cache, on matrix units (f16), or because the machine was less busy.";

async function bench(flags: InferValue<typeof parser>): Promise<void> {
  const device = await openDevice();
  print([paint(flags.json ? stderr : stdout, "bold", device.info.description), ""], flags.json);
  progress("Measuring the ceilings …");
  const options: KernelBenchOptions = {
    cases: (flags.shapes ?? parseShapes("base")).flatMap(casesOf),
    filter: flags.filter,
    samples: flags.samples,
    report: ({ kernel, shape }) => progress(`${kernel} ${shape}`),
  };
  const measured = await benchKernels(device, options);
  measured.results.push(...await benchHalfPrecision({ ...options, ceilings: measured.ceilings }));
  progress("");
  const result: KernelResult = { kind: "kernels", ...resultHead(device.info), ...measured };
  device.destroy();
  print([
    ...ceilingLines(result.ceilings),
    `Timed by       ${result.timing}`,
    "",
    ...kernelTable(result.results, tableWidth()),
    ...(result.results.some(({ percent }) => percent > 105) ? ["", aboveLimit] : []),
  ], flags.json);
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (flags.write) await writeResult(resultPath(result), text, flags.json);
  if (flags.json) printJson(result);
}

if (import.meta.main) {
  const parsed = parseCommand(parser, Deno.args, {
    command,
    brief: "Times every kernel at BERT's shapes, beside what this adapter can do at most.",
    examples: [
      "bench",
      "bench --filter matmul --shapes mini,1024x1024x1024",
      "bench --json --write",
    ],
  });
  Deno.exit(await runCommand(parsed, command, bench));
}
