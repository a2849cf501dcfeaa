/** What `doctor --mpi` says of ranks on hosts that are not here; test/mpi/ runs it under a launcher. */
import assert from "node:assert/strict";
import { main } from "../../cli/doctor.ts";
import { type RankFacts, rankRemarks } from "../../cli/doctor/ranks.ts";
import { doctorTools } from "../../cli/doctor/tools.ts";
import type { Communicator } from "../../cli/mpi/communicator.ts";
import { recorder } from "./recorder.ts";

const gpu = { description: "A GPU", software: false };

/** Ranks of hosts, by the adapter of each and what selects it. */
const factsOf = (
  ...ranks: [host: string, adapter: RankFacts["adapter"], selected?: string][]
): RankFacts[] =>
  ranks.map(([host, adapter, selected = ""], rank) => ({
    rank,
    host,
    local_rank: ranks.slice(0, rank).filter(([other]) => other === host).length,
    adapter,
    selected,
  }));

Deno.test("ranks that share an adapter are told, and those that something parts are not", () => {
  assert.deepEqual(rankRemarks(factsOf(["a", gpu], ["b", gpu])), []);
  const parted = factsOf(["a", gpu, "DRI_PRIME=1!"], ["a", gpu, "DRI_PRIME=2!"]);
  assert.deepEqual(rankRemarks(parted), []);
  const [shared, ...rest] = rankRemarks(factsOf(["a", gpu], ["b", gpu], ["a", gpu], ["b", gpu]));
  assert.match(shared, /^Ranks 0, 2 of a have the same adapter, and share one GPU, unless /);
  assert.match(rest.join(), /^Ranks 1, 3 of b have the same adapter/);
  const cpu = { description: "llvmpipe", software: true };
  assert.deepEqual(rankRemarks(factsOf(["a", cpu], ["a", cpu])), [
    "Ranks 0, 1 of a have the same adapter, and share the processor's cores.",
  ]);
  const [differ, ...more] = rankRemarks(factsOf(["a", gpu], ["a", cpu]));
  assert.match(differ, /^The adapters differ: /);
  assert.deepEqual(more, []);
});

/** The command as one of two ranks of one host runs it, and what it wrote. */
async function examine(rank: number, other: RankFacts, args: string[] = []) {
  let finalized = false;
  const ranks: Partial<Communicator> = {
    ...{ rank, size: 2, host: "a", localRank: rank, localSize: 2, library: "An MPI 1.0" },
    gather: (own) => {
      const others = new TextEncoder().encode(JSON.stringify(other));
      return rank === 0 ? [own, others] : [others, own];
    },
    finalize: () => void (finalized = true),
  };
  const [stdout, stderr] = [recorder(100), recorder()];
  const code = await main(
    ["--mpi", ...args],
    {
      ...doctorTools,
      joinRanks: () => ranks as Communicator,
      environment: (name) => name === "DRI_PRIME" ? "pci-0000_01_00_0!" : undefined,
      adapter: () => Promise.reject(new Error("The driver failed.")),
    },
    stdout,
    stderr,
  );
  assert.equal(stderr.text, "");
  assert.ok(finalized);
  return { code, stdout: stdout.text };
}

Deno.test("rank 0 tells of all ranks; one without an adapter is a problem of all", async () => {
  const [, other] = factsOf(["a", null], ["a", gpu]);
  const { code, stdout } = await examine(0, other);
  assert.equal(code, 1);
  assert.equal(
    stdout,
    `An MPI 1.0

            Local
Rank  Host   rank  Adapter           Selected by
────  ────  ─────  ────────────────  ───────────────────────────
   0  a         0  none that serves  DRI_PRIME=pci-0000_01_00_0!
   1  a         1  A GPU             –

Rank 0 cannot train: no adapter serves. Run ./denow task doctor there.
Not all ranks can train yet.
`,
  );
  const json = JSON.parse((await examine(0, other, ["--json"])).stdout);
  assert.deepEqual([json.can_train, json.ranks[1]], [false, other]);
  assert.deepEqual(await examine(1, { ...other, rank: 0 }), { code: 1, stdout: "" });
});

Deno.test("without a launcher --mpi is wrong use", async () => {
  const stderr = recorder();
  const tools = { ...doctorTools, joinRanks: () => undefined };
  assert.equal(await main(["--mpi"], tools, recorder(), stderr), 2);
  assert.match(stderr.text, /^Error: --mpi is for .*mpirun -n 2 \.\/denow task doctor --mpi\n$/);
});
