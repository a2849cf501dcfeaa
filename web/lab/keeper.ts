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

/** What keeps runs: a connection to the browser's database. */
export type Store = Pick<KeptRuns, "list" | "read" | "put" | "forget" | "close">;

type Write = (store: Store) => Promise<void>;

const isNamed = (error: unknown, ...names: string[]) =>
  error instanceof DOMException && names.includes(error.name);

/** What a browser calls by such names is a disk, or what a page may have of it, that is full; its messages do not say so. */
const wordsOf = (error: unknown) =>
  isNamed(error, "QuotaExceededError", "UnknownError", "AbortError")
    ? "the browser has no room for it, or its disk is full."
    : messageOf(error);

export class Keeper {
  /** All that is kept, over whatever base, the oldest first. */
  kept: readonly AboutKept[] = [];
  /** Why nothing is kept, or the last run is not. */
  problem?: string;
  readonly #changed: () => void;
  /** Undefined where there is nothing to keep runs in, as outside of a browser. */
  readonly #open?: () => Promise<Store>;
  #opened?: Promise<Store>;
  /** Runs whose data are kept already. */
  readonly #withData = new Set<string>();
  /** Runs that were forgotten while they were to be kept. */
  readonly #forgotten = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    changed: () => void,
    open = typeof indexedDB === "undefined" ? undefined : (): Promise<Store> => KeptRuns.open(),
  ) {
    this.#changed = changed;
    this.#open = open;
  }

  #failed(what: string, error: unknown): void {
    this.problem = `${what}: ${wordsOf(error)}`;
    this.#changed();
  }

  /** The runs over a base, the oldest first. */
  async over({ key }: Base): Promise<KeptOver[]> {
    if (!this.#open) return [];
    try {
      const store = await (this.#opened ??= this.#open());
      this.kept = await store.list();
      const found: KeptOver[] = [];
      for (const { id, base } of this.kept) {
        if (base.key === key) found.push({ id, content: await store.read(id) });
      }
      return found;
    } catch (error) {
      this.#failed("Runs that this browser keeps cannot be read", error);
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
  #after(write: Write, failed: string): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      if (!this.#open) return;
      try {
        await this.#write(this.#open, write);
        this.#changed();
      } catch (error) {
        this.#failed(failed, error);
      }
    });
    return this.#writing;
  }

  /** Writes by the connection that is open, and by a new one where that was closed, as a browser does when its disk is full. */
  async #write(open: () => Promise<Store>, write: Write, again = true): Promise<void> {
    const opened = this.#opened ??= open();
    try {
      const store = await opened;
      await write(store);
      this.kept = await store.list();
    } catch (error) {
      this.#opened = undefined;
      opened.then((store) => store.close(), () => {});
      if (!again || !isNamed(error, "InvalidStateError")) throw error;
      await this.#write(open, write, false);
    }
  }
}
