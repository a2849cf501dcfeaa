/**
 * `deno task train:mpi`: `deno task train` by the processes that `mpirun` starts, which share every batch. The first
 * prints and writes, the others print their errors alone. Without mpirun it is `deno task train`. Ends as that does.
 */
import type { Communicator } from "./communicator.ts";
import { follow } from "./follower.ts";
import { joinRanks } from "./join.ts";
import { Leader } from "./leader.ts";
import { rankName } from "./together.ts";
import { useBackend } from "../shared/backend.ts";
import { tellError } from "../shared/command.ts";
import { onSignals, type Stop } from "../shared/signals.ts";
import { standardOutput } from "../shared/terminal.ts";
import { loadTrainingTools, main } from "../train.ts";
import { parseFlags } from "../train/flags.ts";

const stderr = standardOutput("stderr");

/** What fails on all ranks is the first one's to tell, with what it has kept: the others wait so long before they end all. */
const firstWord = 2000; // ms

/** What a rank other than the first does. A second signal ends it, and all with it. */
async function mainOfFollower(ranks: Communicator, args: readonly string[]): Promise<number> {
  let stop: Stop | undefined;
  onSignals((wish) => {
    if (stop) Deno.exit(wish.exitCode);
    stop = wish;
  });
  try {
    const parsed = parseFlags(args);
    if (parsed.kind === "flags") await useBackend(parsed.flags.backend);
    return await follow(ranks, await loadTrainingTools(), () => stop !== undefined);
  } catch (error) {
    const whose = `${rankName(ranks.rank, ranks.host)}: `;
    const exitCode = tellError(error, stderr, { whose });
    await new Promise((resolve) => setTimeout(resolve, firstWord));
    return ranks.abort(exitCode);
  }
}

async function mainOfAll(args: readonly string[]): Promise<number> {
  let ranks: Communicator | undefined;
  try {
    ranks = joinRanks();
  } catch (error) {
    return tellError(error, stderr);
  }
  if (!ranks) return await main(args, loadTrainingTools);
  if (ranks.rank > 0) {
    const exitCode = await mainOfFollower(ranks, args);
    ranks.finalize();
    return exitCode;
  }
  const leader = new Leader(ranks);
  const exitCode = await main(args, loadTrainingTools, (work, tools) => leader.lead(work, tools));
  leader.end(exitCode);
  ranks.finalize();
  return exitCode;
}

if (import.meta.main) Deno.exit(await mainOfAll(Deno.args));
