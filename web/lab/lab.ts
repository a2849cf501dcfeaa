/** All that the page holds: the GPU, the base, the data, what trains and what was trained. Views are told of changes. */
import { createDevice, type Device } from "../../engine/device.ts";
import type { Method } from "../../models/peft/methods.ts";
import { runName } from "../../models/peft/methods.ts";
import type { Hyperparameters } from "../../models/training/events.ts";
import type { Base } from "./base.ts";
import type { LabelledData } from "./data.ts";
import { openRuns } from "./files.ts";
import { Keeper } from "./keeper.ts";
import { Labeller, type Labelling, untrained } from "./labeller.ts";
import { freeName, type Trained } from "./trained.ts";
import { type Told, Training } from "./training.ts";

export class Lab {
  readonly device: Device;
  base: Base;
  labeller: Labeller;
  data: LabelledData;
  /** Over the base, in the order in which they were begun. */
  trainings: Training[] = [];
  /** Trained here to an end or a stop, or opened, in that order. */
  runs: readonly Trained[] = [];
  /** The base under the data's labels, which has learnt nothing. */
  untrained: Labelling;
  /** What has the GPU for itself, such as a check of all kernels. */
  busy?: string;
  readonly keeper: Keeper;
  readonly #listeners = new Set<() => void>();

  constructor(device: Device, base: Base, data: LabelledData) {
    this.device = device;
    this.base = base;
    this.keeper = new Keeper(() => this.changed());
    this.labeller = new Labeller(device, base);
    this.data = data;
    this.untrained = untrained(data.dataset.labels);
  }

  /** Calls a view after every change; returns what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** The training that computes or is held. */
  get active(): Training | undefined {
    return this.trainings.find(({ isActive }) => isActive);
  }

  /** Whether nothing else may begin on the GPU now. */
  get isTaken(): boolean {
    return this.active !== undefined || this.busy !== undefined;
  }

  useData(data: LabelledData): void {
    this.data = data;
    void this.labeller.drop(this.untrained);
    this.untrained = untrained(data.dataset.labels);
    this.changed();
  }

  /** Takes another base, and the runs that are kept over it; those over this one are left, but for what is kept. */
  async useBase(base: Base): Promise<void> {
    const { base: before, labeller } = this;
    this.base = base;
    this.labeller = new Labeller(this.device, base);
    this.trainings = [];
    this.runs = [];
    this.untrained = untrained(this.data.dataset.labels);
    await labeller.close();
    await before.free();
    await this.openKept();
  }

  /** Brings the runs back that are kept over the base. */
  async openKept(): Promise<void> {
    const { device, base } = this;
    const kept = await this.keeper.over(base);
    if (this.base !== base) return; // another one was taken meanwhile
    for (const { id, content: { run, data } } of kept) {
      const training = Training.kept({ device, base, data }, run, this.#told, id);
      this.trainings.push(training);
      this.#take(training);
    }
    this.changed();
  }

  /** Trains a method on the data; what comes of it is among the runs afterwards. */
  async train(method: Method, hyperparameters: Hyperparameters): Promise<void> {
    const { device, base, data } = this;
    const name = this.#free(runName(method));
    const training = new Training(
      { name, device, base, data, method, hyperparameters },
      this.#told,
    );
    this.trainings.push(training);
    await training.run();
  }

  readonly #told: Told = {
    changed: (training) => {
      this.#take(training);
      this.changed();
    },
    keep: (training) => this.keeper.keep(training),
  };

  /** Puts what a training has made in the place of what it had made before. */
  #take({ trained }: Training): void {
    if (trained === undefined || this.runs.includes(trained)) return;
    const older = this.runs.find(({ name }) => name === trained.name);
    if (older) void this.labeller.drop(older);
    this.runs = [...this.runs.filter((run) => run !== older), trained];
  }

  /** Drops a training, what came of it, and what the browser keeps of it. */
  async forget(training: Training): Promise<void> {
    const { id, options: { name } } = training;
    const run = this.runs.find((other) => other.name === name);
    this.trainings = this.trainings.filter((other) => other !== training);
    this.runs = this.runs.filter((other) => other !== run);
    this.changed();
    // What is kept goes at once: the tab may be closed before a run that is being put on the GPU is there to be dropped.
    await Promise.all([this.keeper.forget(id), run && this.labeller.drop(run)]);
  }

  #free(wanted: string): string {
    const trainings = this.trainings.map(({ options: { name } }) => name);
    return freeName(wanted, [...trainings, ...this.runs.map(({ name }) => name)]);
  }

  /** Opens runs from files; returns their names. Throws a UserError where there is none of this base. */
  async open(files: readonly File[]): Promise<string[]> {
    const opened = await openRuns(files, this.base);
    for (const run of opened) this.runs = [...this.runs, { ...run, name: this.#free(run.name) }];
    this.changed();
    return this.runs.slice(-opened.length).map(({ name }) => name);
  }

  /** Runs what needs the GPU for itself. */
  async alone(what: string, run: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.changed();
    try {
      await run();
    } finally {
      this.busy = undefined;
      this.changed();
    }
  }
}

/** Asks for the GPU. Throws a DeviceError where the browser has none that will do. */
export const openDevice = (): Promise<Device> => createDevice();
