/**
 * `deno task doctor`: whether this machine can train, matter by matter, and what to do where it cannot.
 * Ends with an exit code: 0 it can, 1 it cannot, 2 wrong use.
 */
import { object } from "@optique/core/constructs";
import project from "../deno.json" with { type: "json" };
import { type DoctorTools, gatherFacts } from "./doctor/facts.ts";
import { canTrain, findingLines, findingsOf, serves } from "./doctor/findings.ts";
import { doctorTools } from "./doctor/tools.ts";
import { backendFlag } from "./shared/backend.ts";
import { runCommand } from "./shared/command.ts";
import { parseCommand, switchOn } from "./shared/flag_parser.ts";
import { jsonText, type Output, standardOutput } from "./shared/terminal.ts";

const command = "deno task doctor";

export const parser = object({
  ...backendFlag,
  offline: switchOn("--offline", "Do not ask whether the hub can be reached"),
  json: switchOn("--json", "Print one JSON document with all facts, for a report"),
});

/** Runs the command; returns its exit code. */
export function main(
  args: readonly string[],
  tools: DoctorTools = doctorTools,
  stdout: Output = standardOutput("stdout"),
  stderr: Output = standardOutput("stderr"),
): Promise<number> {
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Says whether this machine can train: Deno, the WebGPU adapter and a product on it, " +
      "caches, the hub. Nothing is written, and no token is shown.",
    examples: ["doctor", "doctor --offline --json"],
  });
  return runCommand(parsed, command, async ({ backend = "deno", offline, json }) => {
    const facts = await gatherFacts(tools, { backend, offline, serves });
    const findings = findingsOf(facts);
    const can_train = canTrain(findings);
    if (json) {
      const document = { version: project.version, can_train, findings, facts };
      stdout.write(`${jsonText(document)}\n`);
    } else {
      const verdict = can_train ? "This machine can train." : "This machine cannot train yet.";
      stdout.write(`${[...findingLines(findings, stdout), "", verdict].join("\n")}\n`);
    }
    return can_train ? 0 : 1;
  }, { stdout, stderr });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
