/** A training that is watched, held, stopped and gone on with: the trainer's events as a state that a page shows. */
import type { Device } from "../../engine/device.ts";
import type { Method } from "../../models/peft/methods.ts";
import type {
  EvaluationEvent,
  Hyperparameters,
  StartEvent,
  StepEvent,
} from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import { train } from "../../models/training/trainer.ts";
import type { Base } from "./base.ts";
import type { LabelledData } from "./data.ts";
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

export interface TrainingOptions {
  name: string;
  device: Device;
  base: Base;
  data: LabelledData;
  method: Method;
  hyperparameters: Hyperparameters;
}

export class Training {
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
  readonly #changed: () => void;

  /** `changed` is called after every change of what is shown. */
  constructor(options: TrainingOptions, changed: () => void) {
    this.options = options;
    this.#changed = changed;
  }

  /** Whether it computes, or would as soon as it is let. */
  get isActive(): boolean {
    return !["stopped", "done", "failed"].includes(this.phase);
  }

  /** Trains to the end, or until it is stopped; again after that, it goes on. Never throws: see `error`. */
  async run(): Promise<void> {
    this.#become("preparing");
    const { device, base, data: { dataset, split }, method, hyperparameters } = this.options;
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
        stopRequested: () => this.phase === "holding" || this.phase === "stopping",
      }, this.#state);
      for await (const event of events) {
        if (event.type === "start") this.start = event;
        else if (event.type === "step") this.steps.push(event);
        else if (event.type === "evaluation") this.evaluations.push(event);
        else if (event.type === "checkpoint") {
          if (this.phase === "holding") await this.#held();
          if (this.phase === "stopping") {
            this.#state = await event.capture();
            this.trained = this.#trainedAt(this.#state);
            break;
          }
        } else {
          const { weights, test, totalSteps } = event.result;
          this.trained = { ...this.#made(), weights, test, steps: totalSteps };
          this.#state = undefined;
        }
        this.heldBytes = device.memory.heldBytes;
        this.peakBytes = device.memory.peakBytes;
        if (this.phase === "preparing" && event.type === "step") this.#become("training");
        else this.#changed();
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
    if (this.phase === "stopped") void this.run();
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

  #become(phase: Phase): void {
    this.phase = phase;
    this.#changed();
  }

  #made(): Omit<Trained, "weights"> {
    const { name, method, data: { dataset, seed }, hyperparameters } = this.options;
    const { labels, sample, hash } = dataset;
    return {
      name,
      method,
      labels,
      hyperparameters,
      trainableParameters: this.start!.trainableParameters,
      maxLength: hyperparameters.maxLength,
      origin: dataset.name,
      data: { name: dataset.name, sample, hash, seed },
    };
  }

  /** What was trained when it was stopped: the best weights that an evaluation found, else the last. */
  #trainedAt({ best, weights, step }: TrainState): Trained {
    return { ...this.#made(), weights: best?.weights ?? weights, steps: step };
  }
}
