/** What of the page's runs is kept in the browser: put there one after another, and told with what went wrong. */
import { messageOf } from "../../models/errors.ts";
import type { Base } from "./base.ts";
import { type AboutKept, type KeptRun, KeptRuns } from "./kept_runs.ts";
import type { LabelledData } from "./data.ts";
import type { Training } from "./training.ts";

export interface KeptOver {
  id: string;
  content: { run: KeptRun; data?: LabelledData };
}

export class Keeper {
  /** All that is kept, over whatever base, the oldest first. */
  kept: readonly AboutKept[] = [];
  /** Why nothing is kept, or the last run is not. */
  problem?: string;
  readonly #changed: () => void;
  readonly #opened: Promise<KeptRuns | undefined>;
  /** Runs whose data are kept already. */
  readonly #withData = new Set<string>();
  /** Runs that were forgotten while they were to be kept. */
  readonly #forgotten = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#opened = typeof indexedDB === "undefined"
      ? Promise.resolve(undefined)
      : KeptRuns.open().catch((error) => this.#failed("This browser keeps no runs", error));
  }

  #failed(what: string, error: unknown): undefined {
    this.problem = `${what}: ${messageOf(error)}`;
    this.#changed();
  }

  /** The runs over a base, the oldest first. */
  async over({ key }: Base): Promise<KeptOver[]> {
    const store = await this.#opened;
    if (!store) return [];
    try {
      this.kept = await store.list();
      const found: KeptOver[] = [];
      for (const { id, base } of this.kept) {
        if (base.key === key) found.push({ id, content: await store.read(id) });
      }
      return found;
    } catch (error) {
      this.#failed("The runs that were kept cannot be read", error);
      return [];
    }
  }

  /** Keeps a run as it is now; a training does not wait for it. */
  keep(training: Training): void {
    const { id, options: { base: { key, name }, data } } = training;
    const run = training.toKeep();
    if (!run) return;
    this.#after(async (store) => {
      if (this.#forgotten.has(id)) return;
      await store.put({ id, base: { key, name } }, run, this.#withData.has(id) ? undefined : data);
      this.#withData.add(id);
      this.problem = undefined;
    }, `${run.trained.name} is not kept`);
  }

  /** Forgets a run. */
  async forget(id: string): Promise<void> {
    this.#forgotten.add(id);
    await this.#after((store) => store.forget(id), "It is kept still");
  }

  /** Writes after what is written, and tells what went wrong. */
  #after(write: (store: KeptRuns) => Promise<void>, failed: string): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const store = await this.#opened;
      if (!store) return;
      try {
        await write(store);
        this.kept = await store.list();
        this.#changed();
      } catch (error) {
        this.#failed(failed, error);
      }
    });
    return this.#writing;
  }
}
