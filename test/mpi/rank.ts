/** What one rank does in the tests: by its first argument. Rank 0 prints, since lines of several mix. */
import { createHash } from "node:crypto";
import type { Communicator } from "../../cli/mpi/communicator.ts";
import { joinRanks } from "../../cli/mpi/join.ts";
import { messageOf } from "../../models/errors.ts";

/** What a rank saw. */
export interface Report {
  rank: number;
  size: number;
  localRank: number;
  localSize: number;
  /** For each size of a sum: how many values are wrong, and hashes of the bits of one that rounds, made twice. */
  sums: { values: number; wrong: number; hashes: [string, string] }[];
  /** The bytes of each rank. */
  gathered: number[][];
  broadcast: number[];
}

/** 0 to 15 of each rank: sums of them are exact in any order. */
const whole = (rank: number, index: number) => (index * 7 + rank * 5) % 16;
/** Of very different sizes: each order of additions rounds otherwise. */
const rounded = (rank: number, index: number) =>
  Math.sin(index * 1.37 + rank) * 10 ** ((index + 3 * rank) % 7 - 3);

function sumOf(ranks: Communicator, values: number): Report["sums"][number] {
  const filled = (make: (rank: number, index: number) => number) =>
    Float32Array.from({ length: values }, (_, index) => make(ranks.rank, index));
  const exact = filled(whole);
  ranks.sum(exact);
  const expected = (index: number) => {
    let sum = 0;
    for (let rank = 0; rank < ranks.size; rank++) sum += whole(rank, index);
    return sum;
  };
  const wrong = exact.filter((value, index) => value !== expected(index)).length;
  const hash = () => {
    const sums = filled(rounded);
    ranks.sum(sums);
    return createHash("sha256").update(new Uint8Array(sums.buffer)).digest("hex");
  };
  return { values, wrong, hashes: [hash(), hash()] };
}

const [what, ...given] = Deno.args;

function work(ranks: Communicator): void {
  const { rank, size, localRank, localSize } = ranks;
  const sums = given.slice(1).map((values) => sumOf(ranks, Number(values)));
  const gathered = ranks.gather(new Uint8Array(rank * 700).fill(rank));
  const bytes = rank === 0 ? Uint8Array.from({ length: 999 }, (_, i) => i) : undefined;
  const report: Report = {
    ...{ rank, size, localRank, localSize, sums },
    gathered: gathered.map((bytes) => [...bytes]),
    broadcast: [...ranks.broadcast(bytes)],
  };
  const reports = ranks.gather(new TextEncoder().encode(JSON.stringify(report)));
  if (rank === 0) {
    console.log(`[${reports.map((bytes) => new TextDecoder().decode(bytes)).join()}]`);
  }
}

/** Takes part until a signal comes to one of them, which may be sent once there is a file; prints how many got it. */
async function awaitSignal(ranks: Communicator, file: string): Promise<void> {
  const got = new Float32Array(1);
  for (const signal of ["SIGINT", "SIGUSR2"] as const) {
    Deno.addSignalListener(signal, () => got[0] = 1);
  }
  ranks.barrier();
  if (ranks.rank === 0) Deno.writeTextFileSync(file, "ready");
  for (let [asked, left] = [false, 10]; left > 0;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const sum = got.slice();
    ranks.sum(sum);
    asked ||= sum[0] > 0;
    if (asked) left--;
  }
  ranks.sum(got);
  if (ranks.rank === 0) console.log(`${got[0]} of ${ranks.size}`);
}

try {
  const ranks = joinRanks(what === "work" ? { callBytes: Number(given[0]) } : {});
  if (!ranks) console.log("alone");
  else if (what === "work") work(ranks);
  else if (what === "signal") await awaitSignal(ranks, given[0]);
  else {
    const exitCode = Number(given[0]);
    if (ranks.rank === 1) what === "abort" ? ranks.abort(exitCode) : Deno.exit(exitCode);
    ranks.barrier(); // for ever, as one does not come
  }
  ranks?.finalize();
} catch (error) {
  console.error(`Error: ${messageOf(error)}`);
  Deno.exit(1);
}
