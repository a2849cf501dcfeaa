/** Ranks of the MPIs that are installed: what they sum, gather and broadcast, and how they end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RankFacts } from "../../cli/doctor/ranks.ts";
import { exists } from "../../models/host/files.ts";
import { until } from "../cli/command.ts";
import { withFolder } from "../files/temporary.ts";
import { launchers, runAlone, runRanks, startRanks } from "./launch.ts";
import type { Report } from "./rank.ts";

const program = fileURLToPath(new URL("rank.ts", import.meta.url));

/** What so many ranks saw of sums of these sizes, with so many bytes a call. */
async function seenBy(
  launcher: string,
  size: number,
  callBytes: number,
  values: number[],
): Promise<Report[]> {
  const args = ["work", `${callBytes}`, ...values.map(String)];
  const { code, stdout, stderr } = await runRanks(launcher, size, args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function assertReports(all: Report[], size: number): void {
  assert.deepEqual(all.map(({ rank }) => rank), [...Array(size).keys()]);
  for (const { sums, ...report } of all) {
    assert.equal(report.size, size);
    assert.deepEqual([report.localRank, report.localSize], [report.rank, size]);
    for (const { values, wrong, hashes: [first, second] } of sums) {
      assert.equal(wrong, 0, `${wrong} of ${values} sums are wrong`);
      assert.equal(second, first, `the sum of ${values} values again has other bits`);
    }
    assert.deepEqual(sums, all[0].sums, `ranks 0 and ${report.rank} have different bits`);
    const lengths = Array.from({ length: size }, (_, rank) => Array(rank * 700).fill(rank));
    assert.deepEqual(report.gathered, lengths);
    assert.deepEqual(report.broadcast, Array.from({ length: 999 }, (_, i) => i % 256));
  }
}

for (const launcher of await launchers()) {
  for (const size of [1, 2, 3, 4]) {
    Deno.test(`${launcher}: sums of ${size} ranks are right, and the same bits on each`, async () => {
      const values = [1, 3, 1021, 100_003];
      const reports = await seenBy(launcher, size, 2 ** 30, values);
      assertReports(reports, size);
      assert.equal(reports[0].sums.length, values.length);
      if (size < 3) return; // a + b has one order
      assert.deepEqual(await seenBy(launcher, size, 2 ** 30, values), reports);
    });
  }

  Deno.test(`${launcher}: what is too long for one call goes in several`, async () => {
    assertReports(await seenBy(launcher, 2, 512, [0, 1, 128, 1021]), 2);
  });

  Deno.test(`${launcher}: a rank that aborts ends all, with its exit code`, async () => {
    assert.equal((await runRanks(launcher, 3, ["abort", "7"])).code, 7);
  });

  Deno.test(`${launcher}: a rank that leaves without a word ends all`, async () => {
    assert.notEqual((await runRanks(launcher, 3, ["leave", "3"])).code, 0);
  });

  Deno.test(`${launcher}: doctor tells what each rank computes on, by one of them`, async () => {
    const doctor = { program: "cli/doctor.ts", set: "doctor" };
    const { code, stdout, stderr } = await runRanks(launcher, 2, ["--mpi", "--json"], doctor);
    assert.equal(code, 0, stderr);
    const { ranks } = JSON.parse(stdout);
    assert.deepEqual(ranks.map(({ local_rank }: RankFacts) => local_rank), [0, 1]);
    assert.ok(ranks[0].adapter.description);
    assert.deepEqual(ranks[1], { ...ranks[0], rank: 1, local_rank: 1 });
  });

  const signal = launcher.endsWith("mpich") ? "SIGINT" : "SIGUSR2"; // see docs/cluster.md
  Deno.test(`${launcher}: ${signal} reaches all ranks, and none ends of it`, () =>
    withFolder(async (folder) => {
      const file = join(folder, "ready");
      const { process, ended } = startRanks(launcher, 2, ["signal", file]);
      await until(() => exists(file));
      process.kill(signal);
      const { code, stdout, stderr } = await ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^2 of 2$/m); // MPICH tells of a Ctrl-C before
    }));
}

Deno.test("a library of another MPI than the launcher's is one sentence", async () => {
  const variables = { OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_RANK: "2" };
  const { code, stdout, stderr } = await runAlone(["work"], variables);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^Error: mpirun of Open MPI started this as rank 2 of 4, but \/\S+ \([^)]+\) holds it for rank 0 of 1: .+PEFT_MPI_LIBRARY/,
  );
});

Deno.test("a file that is no MPI library is one sentence", async () => {
  const variables = { PMI_SIZE: "2", PMI_RANK: "0", PEFT_MPI_LIBRARY: program };
  const { code, stderr } = await runAlone(["work"], variables);
  assert.equal(code, 1);
  assert.match(stderr, /^Error: \S+rank\.ts cannot be used as MPI's library: [^\n]+\n$/);
});

Deno.test("a process that no launcher started is alone, and loads no library", async () => {
  const { code, stdout } = await runAlone(["work"], { PEFT_MPI_LIBRARY: "/nowhere" });
  assert.deepEqual([code, stdout], [0, "alone\n"]);
});
