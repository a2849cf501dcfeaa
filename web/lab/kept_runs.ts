/** Runs that the browser keeps for this page (IndexedDB), so that they are there when it is opened again. */
import type { EvaluationEvent, StartEvent, StepEvent } from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import type { LabelledData } from "./data.ts";
import type { Trained } from "./trained.ts";

/** What is known of a kept run without reading it. */
export interface AboutKept {
  id: string;
  name: string;
  /** The base that it lies over. */
  base: { key: string; name: string };
  bytes: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** A run as it is kept. Plain data: IndexedDB copies it as it is. */
export interface KeptRun {
  trained: Trained;
  start: StartEvent;
  steps: StepEvent[];
  evaluations: EvaluationEvent[];
  /** Of a run that did not come to its end: what it goes on from. */
  state?: TrainState;
}

/** Changes when what is kept could be read wrongly: what an older version kept is forgotten then. */
const format = 1;

const [abouts, contents, dataOf] = ["abouts", "contents", "data"];

const settled = <Value>(request: IDBRequest<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const tensorBytes = (tensors: Iterable<{ data: { byteLength: number } }>) =>
  [...tensors].reduce((sum, { data }) => sum + data.byteLength, 0);

/** Bytes of a run's numbers; its text is little beside them. */
export function bytesOf({ trained, state }: KeptRun): number {
  const weights = tensorBytes(trained.weights.values());
  if (!state) return weights;
  const moments = [...state.optimizer.moments.values()]
    .reduce((sum, { mean, variance }) => sum + mean.byteLength + variance.byteLength, 0);
  const best = tensorBytes(state.best?.weights.values() ?? []);
  return weights + tensorBytes(state.weights.values()) + moments + best;
}

export class KeptRuns {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** Opens what the browser keeps. Throws where it keeps nothing, as in some private windows. */
  static async open(): Promise<KeptRuns> {
    const opening = indexedDB.open("peft", format);
    opening.onupgradeneeded = () => {
      const { result } = opening;
      for (const name of [...result.objectStoreNames]) result.deleteObjectStore(name);
      result.createObjectStore(abouts, { keyPath: "id" });
      for (const name of [contents, dataOf]) result.createObjectStore(name);
    };
    const blocked = new Promise<never>((_, reject) => {
      opening.onblocked = () =>
        reject(new Error("another tab has an older version of this page open; close it"));
    });
    const database = await Promise.race([settled(opening), blocked]);
    database.onversionchange = () => database.close();
    return new KeptRuns(database);
  }

  close(): void {
    this.#database.close();
  }

  /** What is kept, the oldest first. */
  async list(): Promise<AboutKept[]> {
    const store = this.#database.transaction(abouts).objectStore(abouts);
    const found: AboutKept[] = await settled(store.getAll());
    return found.sort((one, other) => one.at - other.at);
  }

  /** A run, and the data that it goes on with where it did not come to its end. */
  async read(id: string): Promise<{ run: KeptRun; data?: LabelledData }> {
    const all = this.#database.transaction([contents, dataOf]);
    const run = settled<KeptRun>(all.objectStore(contents).get(id));
    const data = settled<LabelledData | undefined>(all.objectStore(dataOf).get(id));
    return { run: await run, data: await data };
  }

  /** Keeps a run in the place of what was kept by its id; the data once, while it has not come to its end. */
  async put(
    { id, base }: Pick<AboutKept, "id" | "base">,
    run: KeptRun,
    data: LabelledData | undefined,
  ): Promise<void> {
    const about: AboutKept = {
      id,
      name: run.trained.name,
      base,
      bytes: bytesOf(run),
      at: Date.now(),
    };
    await this.#write((store) => {
      store(abouts).put(about);
      store(contents).put(run, id);
      if (!run.state) store(dataOf).delete(id);
      else if (data) store(dataOf).put(data, id);
    });
  }

  async forget(id: string): Promise<void> {
    await this.#write((store) => {
      for (const name of [abouts, contents, dataOf]) store(name).delete(id);
    });
  }

  /** Writes whole or not at all. Throws where the browser has no room. */
  #write(change: (store: (name: string) => IDBObjectStore) => void): Promise<void> {
    const all = this.#database.transaction([abouts, contents, dataOf], "readwrite");
    return new Promise((resolve, reject) => {
      all.oncomplete = () => resolve();
      all.onabort = () => reject(all.error);
      change((name) => all.objectStore(name));
    });
  }
}
