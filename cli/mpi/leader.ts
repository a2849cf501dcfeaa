/** The first rank: it runs the command as one process would, and has the others take part in each training. */
import type { Crew } from "../train/experiment.ts";
import type { Fact } from "../train/facts.ts";
import type { Flags } from "../train/flags.ts";
import type { Loaded } from "../train/load.ts";
import type { Plan } from "../train/plan.ts";
import type { RanksReport } from "../train/run_report.ts";
import type { DeviceHandle, TrainingTools } from "../train/tools.ts";
import type { KeptTuning } from "../train/tuning_cache.ts";
import type { Communicator } from "./communicator.ts";
import { tell } from "./messages.ts";
import { createDevices, factsOfRanks, loadAll } from "./prepare.ts";
import { leadTraining } from "./training.ts";

export class Leader {
  readonly #ranks: Communicator;
  /** Whether the others wait for a message; else they are in the middle of a training. */
  #othersWait = true;

  constructor(ranks: Communicator) {
    this.#ranks = ranks;
  }

  /** Tools by which the others take part in an experiment, and what that has to know of them. */
  lead<Device extends DeviceHandle>(
    { flags, plan }: { flags: Flags; plan: Plan },
    tools: TrainingTools<Device>,
  ): { tools: TrainingTools<Device>; crew: Crew } {
    const ranks = this.#ranks;
    let adapters: string[] = [];
    let tuning: KeptTuning = { plans: {}, refused: [] };
    const crew = {
      facts: [] as Fact[],
      report: undefined as RanksReport | undefined,
      load: async (load: () => Promise<Loaded>) => {
        const { loaded, hosts } = await loadAll(ranks, load);
        crew.facts = factsOfRanks(ranks, { hosts, adapters });
        crew.report = {
          size: ranks.size,
          hosts: new Set(hosts).size,
          library: ranks.library,
        };
        return loaded;
      },
    };
    const onTogether = () => this.#othersWait = true;
    return {
      crew,
      tools: {
        ...tools,
        createDevice: async (options) => {
          tell(ranks, { kind: "begin", flags, plan, device: options });
          const created = await createDevices(ranks, tools, options);
          adapters = created.adapters;
          return created.device;
        },
        tuneKernels: async (...given) => {
          const tuned = await tools.tuneKernels(...given);
          tuning = tuned;
          return tuned;
        },
        train: (options, from) => {
          this.#othersWait = false;
          return leadTraining(ranks, tools, options, { tuning, from, onTogether });
        },
      },
    };
  }

  /** Ends the others, too: at once where they are in the middle of a training. */
  end(exitCode: number): void {
    if (!this.#othersWait) this.#ranks.abort(exitCode);
    tell(this.#ranks, { kind: "end", exitCode });
  }
}
