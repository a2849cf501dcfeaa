/** A training that is watched, held, stopped and gone on with: the trainer's events as a state that a page shows. */
import type { Device } from "../../engine/device.ts";
import { countParameters, type Method } from "../../models/peft/methods.ts";
import type {
  CheckpointEvent,
  EvaluationEvent,
  Hyperparameters,
  StartEvent,
  StepEvent,
} from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import { train } from "../../models/training/trainer.ts";
import type { Base } from "./base.ts";
import type { LabelledData } from "./data.ts";
import type { KeptRun } from "./kept_runs.ts";
import type { Trained } from "./trained.ts";

/** `holding` and `stopping` wait for the step that runs. */
export type Phase =
  | "preparing"
  | "training"
  | "holding"
  | "held"
  | "stopping"
  | "stopped"
  | "done"
  | "failed";

/** Who is told of a training: of every change of what is shown, and of what is worth keeping. */
export interface Told {
  changed(training: Training): void;
  keep(training: Training): void;
}

export interface TrainingOptions {
  name: string;
  device: Device;
  base: Base;
  /** Undefined of a run that came to its end before the page was opened: it is not trained again. */
  data?: LabelledData;
  method: Method;
  hyperparameters: Hyperparameters;
}

/** Steps after which a run is kept midway, besides after each validation. */
const keepSteps = 50;

/** Of a state of more bytes no copies are made midway: a stop makes one. */
const mostMidway = 64e6;

export class Training {
  /** Unlike that of any other run, in any tab. */
  readonly id: string;
  readonly options: TrainingOptions;
  phase: Phase = "preparing";
  start?: StartEvent;
  readonly steps: StepEvent[] = [];
  readonly evaluations: EvaluationEvent[] = [];
  /** Of the step that was read last. */
  heldBytes = 0;
  peakBytes = 0;
  error?: unknown;
  trained?: Trained;
  /** What a stopped run goes on from. */
  #state?: TrainState;
  #goOn?: () => void;
  readonly #told: Told;

  constructor(options: TrainingOptions, told: Told, id: string = crypto.randomUUID()) {
    this.options = options;
    this.#told = told;
    this.id = id;
  }

  /** A run as it was kept: done, or stopped where it did not come to its end. */
  static kept(
    options: Pick<TrainingOptions, "device" | "base" | "data">,
    { trained, start, steps, evaluations, state }: KeptRun,
    told: Told,
    id: string,
  ): Training {
    const { name, method } = trained;
    const hyperparameters = trained.hyperparameters!;
    const training = new Training({ ...options, name, method, hyperparameters }, told, id);
    Object.assign(training, { start, steps, evaluations, trained });
    training.#state = state;
    training.phase = state ? "stopped" : "done";
    return training;
  }

  /** What is to be kept of it; undefined before there is anything. */
  toKeep(): KeptRun | undefined {
    const state = this.#state;
    const trained = state ? this.#trainedAt(state) : this.trained;
    if (!trained || !this.start) return undefined;
    const { start, steps, evaluations } = this;
    return { trained, start, steps: [...steps], evaluations: [...evaluations], state };
  }

  /** Whether it computes, or would as soon as it is let. */
  get isActive(): boolean {
    return !["stopped", "done", "failed"].includes(this.phase);
  }

  /** Whether it ended before its end, and has what to go on from. */
  get canGoOn(): boolean {
    return this.phase === "stopped" && this.options.data !== undefined;
  }

  /** Trains to the end, or until it is stopped; again after that, it goes on. Never throws: see `error`. */
  async run(): Promise<void> {
    const { device, base, data, method, hyperparameters } = this.options;
    if (!data) return;
    const { dataset, split } = data;
    this.#become("preparing");
    this.error = undefined;
    this.#forgetAfter(this.#state?.step ?? 0);
    const { trainable } = countParameters(base.config, method, dataset.labels.length);
    const isLight = 16 * trainable <= mostMidway; // weights, two moments, the best weights
    let weights;
    try {
      weights = await base.open(dataset.labels);
      const { maxLength } = hyperparameters;
      const events = train({
        run: this.options.name,
        device,
        config: base.config,
        method,
        labels: dataset.labels,
        weights,
        encode: (text) => base.tokenizer.encode(text, maxLength),
        split,
        hyperparameters,
        checkpointSteps: isLight ? keepSteps : undefined,
        stopRequested: () => this.phase === "holding" || this.phase === "stopping",
      }, this.#state);
      for await (const event of events) {
        if (event.type === "start") this.start = event;
        else if (event.type === "step") this.steps.push(event);
        else if (event.type === "evaluation") this.evaluations.push(event);
        else if (event.type === "checkpoint") {
          if (isLight) await this.#capture(event);
          if (this.phase === "holding") await this.#held();
          if (this.phase === "stopping") {
            this.trained = this.#trainedAt(await this.#capture(event));
            break;
          }
        } else {
          const { weights, test, totalSteps } = event.result;
          this.trained = { ...this.#made(), weights, test, steps: totalSteps };
          this.#state = undefined;
          this.#told.keep(this);
        }
        this.heldBytes = device.memory.heldBytes;
        this.peakBytes = device.memory.peakBytes;
        if (this.phase === "preparing" && event.type === "step") this.#become("training");
        else this.#told.changed(this);
      }
      this.#become(this.phase === "stopping" && this.#state ? "stopped" : "done");
    } catch (error) {
      this.error = error;
      this.#become("failed");
    } finally {
      weights?.close();
    }
  }

  /** Holds it after the step that runs; what is on the GPU stays there. */
  hold(): void {
    if (this.phase === "preparing" || this.phase === "training") this.#become("holding");
  }

  /** Lets a held training go on, or one that was stopped. */
  goOn(): void {
    if (this.canGoOn) void this.run();
    else if (this.phase === "held" || this.phase === "holding") {
      this.#become("training");
      this.#goOn?.();
    }
  }

  /** Ends it after the step that runs; what it has trained is kept, and can be gone on with. */
  stop(): void {
    if (!this.isActive) return;
    this.#become("stopping");
    this.#goOn?.();
  }

  #held(): Promise<void> {
    this.#become("held");
    return new Promise((resolve) => this.#goOn = resolve);
  }

  async #capture(event: CheckpointEvent): Promise<TrainState> {
    this.#state = await event.capture();
    this.#told.keep(this);
    return this.#state;
  }

  #become(phase: Phase): void {
    this.phase = phase;
    this.#told.changed(this);
  }

  /** Leaves out what came after the step from which it goes on. */
  #forgetAfter(step: number): void {
    this.steps.splice(0, Infinity, ...this.steps.filter((each) => each.step <= step));
    const before = this.evaluations.filter((each) => each.step <= step);
    this.evaluations.splice(0, Infinity, ...before);
  }

  #made(): Omit<Trained, "weights"> {
    const { name, method, data, hyperparameters } = this.options;
    const { dataset, seed } = data!; // it computes, or did
    const { labels, sample, hash, textColumn, labelColumn, given } = dataset;
    return {
      name,
      method,
      labels,
      hyperparameters,
      trainableParameters: this.start!.trainableParameters,
      maxLength: hyperparameters.maxLength,
      origin: dataset.name,
      data: { name: dataset.name, sample, hash, seed, textColumn, labelColumn, given },
    };
  }

  /** What was trained when it was stopped: the best weights that an evaluation found, else the last. */
  #trainedAt({ best, weights, step }: TrainState): Trained {
    return { ...this.#made(), weights: best?.weights ?? weights, steps: step };
  }
}
