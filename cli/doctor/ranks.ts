/** What ranks compute on, told by one of them for all: `doctor --mpi`. */
import { UserError } from "../../models/errors.ts";
import type { Communicator } from "../mpi/communicator.ts";
import { formatAdapter } from "../shared/format.ts";
import { renderTable } from "../shared/table.ts";
import type { AdapterFacts, DoctorTools } from "./facts.ts";

/** What the drivers of GPUs, and what containers, read to choose among several; docs/cluster.md tells of them. */
export const selecting = [
  "DRI_PRIME",
  "MESA_VK_DEVICE_SELECT",
  "NVIDIA_VISIBLE_DEVICES",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_LOADER_DEVICE_SELECT",
] as const;

export interface RankFacts {
  rank: number;
  host: string;
  local_rank: number;
  /** Null where there is none that serves. */
  adapter: Pick<AdapterFacts, "description" | "software"> | null;
  /** The variables that select a GPU, such as "DRI_PRIME=pci-0000_01_00_0!". */
  selected: string;
}

/** Of one process that was to be one of several. */
export const noRanks = () =>
  new UserError(
    "--mpi is for processes that a launcher started, and none did: mpirun -n 2 ./denow task " +
      "doctor --mpi",
    { exitCode: 2 },
  );

/** What all ranks say of themselves, by rank, on each. */
export async function gatherRanks(
  tools: Pick<DoctorTools, "adapter" | "environment">,
  ranks: Communicator,
  serves: (adapter: AdapterFacts) => boolean,
): Promise<RankFacts[]> {
  const found = await tools.adapter().catch(() => undefined); // the others wait for this rank's answer
  const own: RankFacts = {
    rank: ranks.rank,
    host: ranks.host,
    local_rank: ranks.localRank,
    adapter: found && serves(found)
      ? { description: found.description, software: found.software }
      : null,
    selected: selecting.flatMap((name) => {
      const value = tools.environment(name);
      return value ? [`${name}=${value}`] : [];
    }).join(" "),
  };
  const all = ranks.gather(new TextEncoder().encode(JSON.stringify(own)));
  return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
}

/** What is to be said of them all, as sentences. */
export function rankRemarks(facts: readonly RankFacts[]): string[] {
  const without = facts.filter(({ adapter }) => !adapter);
  const withAdapter = facts.filter(({ adapter }) => adapter);
  const kinds = new Set(withAdapter.map(({ adapter }) => adapter!.description));
  const remarks: string[] = [];
  if (without.length > 0) {
    remarks.push(
      `${named(without)} cannot train: no adapter serves. Run ./denow task doctor there.`,
    );
  }
  for (const sharing of groups(withAdapter)) {
    const [{ host, adapter }] = sharing;
    const what = adapter!.software
      ? "share the processor's cores"
      : "share one GPU, unless the scheduler shows each its own: docs/cluster.md tells how to " +
        "give each one";
    remarks.push(`${named(sharing)} of ${host} have the same adapter, and ${what}.`);
  }
  if (kinds.size > 1) {
    remarks.push(
      "The adapters differ: at each step all ranks wait for the slowest, and each rounds its own way.",
    );
  }
  return remarks;
}

/** Ranks of one host which nothing parts, where there are several. */
function groups(facts: readonly RankFacts[]): RankFacts[][] {
  const key = ({ host, adapter, selected }: RankFacts) =>
    JSON.stringify([host, adapter!.description, selected]);
  return Object.values(Object.groupBy(facts, key)).filter((group) =>
    group!.length > 1
  ) as RankFacts[][];
}

const named = (facts: readonly RankFacts[]) =>
  `Rank${facts.length > 1 ? "s" : ""} ${facts.map(({ rank }) => rank).join(", ")}`;

/** A line a rank. */
export function rankTable(facts: readonly RankFacts[], width: number): string[] {
  const columns = [
    { title: "Rank", right: true },
    { title: "Host" },
    { title: "Local rank", right: true },
    { title: "Adapter" },
    { title: "Selected by", shrinks: true },
  ];
  const rows = facts.map(({ rank, host, local_rank, adapter, selected }) => [
    `${rank}`,
    host,
    `${local_rank}`,
    adapter ? formatAdapter(adapter) : "none that serves",
    selected || "–",
  ]);
  return renderTable(columns, rows, width);
}
