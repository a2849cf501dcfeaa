/** `deno task bench:peers`: the same operations in jax-js and TensorFlow.js, on the same adapter, in turn. */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { flag, parseCommand, switchOn, valueOf, whole } from "../cli/shared/flag_parser.ts";
import { parseText } from "../cli/shared/flag_values.ts";
import { paint } from "../cli/shared/terminal.ts";
import { print, printJson, progress, runCommand, stderr, stdout, writeResult } from "./command.ts";
import { resultHead, resultPath } from "./environment.ts";
import { compare, operationName, peerOperations } from "./peers/compare.ts";
import { openJax } from "./peers/jax.ts";
import { openOurs } from "./peers/ours.ts";
import { peerTable } from "./peers/table.ts";
import { openTfjs } from "./peers/tfjs.ts";
import type { PeerResult, PeerRow } from "./schema.ts";

const parser = object({
  filter: flag(
    "--filter",
    valueOf("TEXT", parseText, ""),
    "Only operations with this in name or shape",
    "all",
  ),
  samples: whole("--samples", "Samples of each, whose median counts", "5", 1),
  write: switchOn("--write", "Keep the result in bench/results/"),
  json: switchOn("--json", "Print the result as JSON on stdout"),
});

const command = "deno task bench:peers";

async function bench(flags: InferValue<typeof parser>): Promise<void> {
  const operations = peerOperations().filter((operation) => {
    const { kernel, shape } = operationName(operation);
    return `${kernel} ${shape}`.includes(flags.filter ?? "");
  });
  const ours = await openOurs();
  const libraries = [ours, await openJax(), await openTfjs()];
  print([paint(flags.json ? stderr : stdout, "bold", ours.info.description), ""], flags.json);
  const results: PeerRow[] = [];
  for (const operation of operations) {
    const { kernel, shape } = operationName(operation);
    progress(`${kernel} ${shape}`);
    results.push(await compare(libraries, operation, flags.samples ?? 5));
  }
  progress("");
  const result: PeerResult = { kind: "peers", ...resultHead(ours.info), results };
  print(peerTable(results), flags.json);
  libraries.forEach((library) => library.close());
  if (flags.write) {
    await writeResult(resultPath(result), `${JSON.stringify(result, null, 2)}\n`, flags.json);
  }
  if (flags.json) printJson(result);
}

if (import.meta.main) {
  const parsed = parseCommand(parser, Deno.args, {
    command,
    brief: "Compares with @jax-js/jax and @tensorflow/tfjs-backend-webgpu, run in turn.",
    examples: ["bench:peers", "bench:peers --filter 384×768×768", "bench:peers --json"],
  });
  Deno.exit(await runCommand(parsed, command, bench));
}
