/**
 * `deno task gradcheck`: every kernel, forward and backward, on this machine's adapter, against float64. Ends with
 * an exit code: 0 all is well, 1 something is wrong, 2 wrong use.
 */
import { object } from "@optique/core/constructs";
import { choice } from "@optique/core/valueparser";
import project from "../deno.json" with { type: "json" };
import { createDevice, type Device, type DeviceOptions } from "../engine/device.ts";
import { computeDtypes } from "../engine/precision.ts";
import {
  allowedOn,
  type CheckRow,
  checksFor,
  type OperationName,
  operationNames,
  runChecks,
} from "../gradcheck/mod.ts";
import { checkTable, rowName, verdict } from "./gradcheck/report.ts";
import { backendFlag } from "./shared/backend.ts";
import { runCommand } from "./shared/command.ts";
import { adviceForAdapter } from "./shared/device_advice.ts";
import { flag, parseCommand, switchOn, valueOf } from "./shared/flag_parser.ts";
import { parseChoices } from "./shared/flag_values.ts";
import { formatAdapter } from "./shared/format.ts";
import { type Output, paint, standardOutput } from "./shared/terminal.ts";

const command = "deno task gradcheck";

export const parser = object({
  ...backendFlag,
  all: switchOn("--all", "Also each input alone, graphs, 16-bit weights, others' kernels"),
  computeDtype: flag(
    "--compute_dtype",
    choice(computeDtypes, { metavar: "TYPE" }),
    "Activations of the kernels: f32 or f16",
    "f32",
  ),
  only: flag(
    "--only",
    valueOf<OperationName[]>("LIST", (text) => parseChoices(text, operationNames), []),
    "Operations, such as linear,layerNorm",
    "all",
  ),
  json: switchOn("--json", "Print one JSON document with all rows"),
});

/** Runs the command; returns its exit code. */
export function main(
  args: readonly string[],
  openDevice: (options: Pick<DeviceOptions, "computeDtype">) => Promise<Device> = createDevice,
  stdout: Output = standardOutput("stdout"),
  stderr: Output = standardOutput("stderr"),
): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Checks every kernel on this adapter, results and gradients, against float64.",
    examples: ["gradcheck", "gradcheck --only linear,layerNorm", "gradcheck --all --json"],
  });
  const progress = (text: string) => {
    if (stderr.terminal) stderr.write(`\r\x1b[K${text.slice(0, stderr.columns() - 1)}`);
  };
  return runCommand(parsed, command, async ({ all, only, json, computeDtype }) => {
    const device = await openDevice({ computeDtype });
    const allowed = allowedOn(device);
    const rows: CheckRow[] = [];
    try {
      if (!json) stdout.write(`${paint(stdout, "bold", formatAdapter(device.info))}\n\n`);
      const checks = checksFor(device, { all, only });
      const announce = () => {
        const next = checks[rows.length];
        if (next) progress(`${rows.length + 1} of ${checks.length}: ${rowName(next)}`);
      };
      announce();
      for await (const row of runChecks(device, checks)) {
        rows.push(row);
        announce();
      }
    } finally {
      progress("");
      device.destroy();
    }
    if (json) {
      const { version } = project;
      const { info: adapter, kernels } = device;
      stdout.write(`${JSON.stringify({ version, adapter, kernels, allowed, rows }, null, 2)}\n`);
    } else {
      const width = Math.min(stdout.columns(), 100);
      stdout.write(
        `${[...checkTable(rows, width, allowed), "", ...verdict(rows, stdout)].join("\n")}\n`,
      );
    }
    return rows.some(({ status }) => status === "failed") ? 1 : 0;
  }, { stdout, stderr, advice: adviceForAdapter });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
