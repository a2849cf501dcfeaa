/** `deno task bench:compare BEFORE AFTER`: how many times as fast the second result is, row by row. */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { parseCommand, valueOf } from "../cli/shared/flag_parser.ts";
import { parseText } from "../cli/shared/flag_values.ts";
import { formatBytes } from "../cli/shared/format.ts";
import { type Column, renderTable } from "../cli/shared/table.ts";
import { UserError } from "../models/errors.ts";
import { print, runCommand, tableWidth } from "./command.ts";
import { formatTime } from "../kernelbench/format.ts";
import { type Result, resultsIn } from "./schema.ts";

const file = valueOf("FILE", parseText, "");
const parser = object({ before: argument(file), after: argument(file) });

const command = "deno task bench:compare";

const columns: Column[] = [
  { title: "What", shrinks: true },
  { title: "Shape" },
  { title: "Before", right: true },
  { title: "After", right: true },
  { title: "Times as fast", right: true },
];

/** Lines of a table over the rows that both results have. Throws where there are none. */
export function comparison(before: Result, after: Result, width: number): string[] {
  const first = timings(before);
  const rows = timings(after).flatMap(({ what, shape, seconds }) => {
    const earlier = first.find((row) => row.what === what && row.shape === shape);
    if (!earlier) return [];
    return [[
      what,
      shape,
      formatTime(earlier.seconds),
      formatTime(seconds),
      (earlier.seconds / seconds).toFixed(2),
    ]];
  });
  if (rows.length === 0) {
    throw new UserError(`The two results (${before.kind}, ${after.kind}) have no row in common.`);
  }
  return renderTable(columns, rows, width);
}

/** Rows by what they measure, whatever engine, precision or padding measured it. */
function timings(result: Result): { what: string; shape: string; seconds: number }[] {
  switch (result.kind) {
    case "kernels":
      return result.results.map(({ kernel, shape, seconds }) => ({ what: kernel, shape, seconds }));
    case "steps":
      return result.results.map(({ model, method, batch, length, milliseconds }) => ({
        what: `${model} ${method}`,
        shape: `${batch} × ${length}`,
        seconds: milliseconds / 1000,
      }));
    case "peers":
      return result.results.map(({ kernel, shape, ours }) => ({
        what: kernel,
        shape,
        seconds: 1 / ours, // rates compare as times do
      }));
    case "mpi":
      return result.reductions.map(({ ranks, hosts, network, bytes, milliseconds }) => ({
        what: `${ranks} ranks on ${hosts}, ${network}`,
        shape: formatBytes(bytes),
        seconds: milliseconds / 1000,
      }));
  }
}

async function read(path: string): Promise<Result> {
  const [first] = resultsIn(JSON.parse(await Deno.readTextFile(path)), path);
  if (first === undefined) throw new UserError(`${path} holds no times of kernels.`);
  return first;
}

async function compare({ before, after }: InferValue<typeof parser>): Promise<void> {
  print(comparison(await read(before), await read(after), tableWidth()));
}

if (import.meta.main) {
  const parsed = parseCommand(parser, Deno.args, {
    command,
    brief: "Compares two results: an earlier and a later one, or PyTorch's steps and ours.",
    operands: "BEFORE AFTER",
    examples: ["bench:compare torch.json bench/results/my-gpu-steps.json"],
  });
  Deno.exit(await runCommand(parsed, command, compare));
}
