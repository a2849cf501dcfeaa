/**
 * `deno task doctor`: whether this machine can train, matter by matter, and what to do where it cannot.
 * Ends with an exit code: 0 it can, 1 it cannot, 2 wrong use.
 */
import { object } from "@optique/core/constructs";
import project from "../deno.json" with { type: "json" };
import { type DoctorTools, gatherFacts } from "./doctor/facts.ts";
import { canTrain, findingLines, findingsOf, serves } from "./doctor/findings.ts";
import { gatherRanks, noRanks, rankRemarks, rankTable } from "./doctor/ranks.ts";
import { doctorTools } from "./doctor/tools.ts";
import type { Communicator } from "./mpi/communicator.ts";
import { backendFlag } from "./shared/backend.ts";
import { runCommand } from "./shared/command.ts";
import { parseCommand, switchOn } from "./shared/flag_parser.ts";
import { jsonText, type Output, standardOutput, wrap } from "./shared/terminal.ts";

const command = "deno task doctor";

export const parser = object({
  ...backendFlag,
  offline: switchOn("--offline", "Do not ask whether the hub can be reached"),
  mpi: switchOn("--mpi", "Under mpirun or srun: say what each rank computes on, and nothing else"),
  json: switchOn("--json", "Print one JSON document with all facts, for a report"),
});

/** Rank 0 tells what all ranks compute on; returns each one's exit code. */
async function examineRanks(
  tools: DoctorTools,
  ranks: Communicator,
  json: boolean,
  stdout: Output,
): Promise<number> {
  const facts = await gatherRanks(tools, ranks, serves);
  const remarks = rankRemarks(facts);
  const can_train = facts.every(({ adapter }) => adapter);
  if (ranks.rank === 0) {
    const { library } = ranks;
    const lines = json
      ? [jsonText({ version: project.version, can_train, library, remarks, ranks: facts })]
      : [
        library,
        "",
        ...rankTable(facts, Math.max(80, stdout.columns())),
        "",
        ...remarks.flatMap((remark) => wrap(remark, Math.min(100, Math.max(40, stdout.columns())))),
        can_train ? "All ranks can train." : "Not all ranks can train yet.",
      ];
    stdout.write(`${lines.join("\n")}\n`);
  }
  ranks.finalize();
  return can_train ? 0 : 1;
}

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
  let ranks: Communicator | undefined;
  const load = ({ mpi }: { mpi: boolean }) => {
    if (!mpi) return;
    ranks = tools.joinRanks();
    if (!ranks) throw noRanks();
  };
  return runCommand(parsed, command, async ({ backend = "deno", offline, json }) => {
    if (ranks) return await examineRanks(tools, ranks, json, stdout);
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
  }, { stdout, stderr, load });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
