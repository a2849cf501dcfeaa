/** Tools without a GPU: a training that yields plausible events and files, for tests of the cli. */
import type { DeviceHandle, TrainingTools } from "../../cli/train/tools.ts";
import { NoAdapterError, OutOfMemoryError } from "../../engine/errors.ts";
import { type RefusedPlan, registerPlan } from "../../engine/plans.ts";
import type { MatmulPrecision } from "../../engine/precision.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { computeMetrics } from "../../models/training/metrics.ts";
import type { Output } from "../../cli/shared/terminal.ts";

export const tinyConfig = {
  ...bertBaseUncased,
  vocabSize: 100,
  hiddenSize: 8,
  layers: 1,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 64,
};

export interface FakeOptions {
  /** The training of the run of this name throws. */
  failIn?: string;
  /** What the GPU fails with: at the start, or in the run that `failIn` names. */
  deviceError?: "no adapter" | "out of memory";
  /** The training of the run of this name never ends. */
  hangIn?: string;
  notice?: string;
  seen?: { run: string; seed: number; firstTexts: string[] }[];
  hash?: string;
  /** Makes the model one that starts at random, and gets the name of the base of every export. */
  bases?: string[];
  /** Plans that the tuner finds refused. */
  refused?: RefusedPlan[];
  /** Gets what precision each device was asked for. */
  precisions?: (MatmulPrecision | undefined)[];
}

const labels = ["anger", "joy"];

export function fakeTools(options: FakeOptions = {}): TrainingTools<DeviceHandle> {
  const notices = options.notice === undefined ? [] : [options.notice];
  return {
    createDevice({ matmulPrecision } = {}) {
      options.precisions?.push(matmulPrecision);
      if (options.deviceError === "no adapter") return Promise.reject(new NoAdapterError());
      return Promise.resolve({
        info: {
          description: "a test's GPU",
          vendor: "nobody",
          architecture: "",
          software: true,
          subgroupSize: 0,
          subgroupMinSize: 0,
        },
        kernels: { matmul: registerPlan(1, 1) },
        destroy() {},
      });
    },
    resolveModel: (name) =>
      Promise.resolve({
        name: name ?? "bert-base-uncased",
        folder: "/nowhere",
        random: options.bases !== undefined,
        config: tinyConfig,
        notices,
      }),
    loadDataset: ({ dataset }) =>
      Promise.resolve({
        name: dataset ?? "boltuix/emotions-dataset",
        source: "a test",
        sample: false,
        labels,
        examples: Array.from({ length: 40 }, (_, row) => ({ text: `text ${row}`, label: row % 2 })),
        textColumn: "text",
        labelColumn: "label",
        rowsRead: 43,
        emptyRows: 1,
        duplicates: 2,
        conflicts: 0,
        hash: options.hash ?? "0123",
        notices: [],
      }),
    stratifiedSplit,
    loadTokenizer: () =>
      Promise.resolve({
        vocabSize: 100,
        encode: () => [1, 2],
        files: [],
      }),
    stepProducts: () => [],
    tuningKey: () => "a test's GPU",
    tuneKernels: (_device, _products, { known, refused }) =>
      Promise.resolve({ plans: known, refused: options.refused ?? refused, left: [] }),
    openWeights: () => Promise.resolve(randomWeights("a test")),
    async *train({ run, method, config, hyperparameters, split }) {
      options.seen?.push({
        run,
        seed: hyperparameters.seed,
        firstTexts: split.train.map(({ text }) => text),
      });
      const counts = countParameters(config, method, labels.length);
      const parameters = { trainableParameters: counts.trainable, totalParameters: counts.total };
      const totalSteps = 4;
      yield {
        type: "start",
        run,
        method,
        ...parameters,
        stepsPerEpoch: 4,
        totalSteps,
        warnings: [],
      };
      for (let step = 1; step <= totalSteps; step++) {
        await Promise.resolve();
        if (options.hangIn === run && step === 3) {
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        }
        if (options.failIn === run && step === 3) {
          if (options.deviceError !== "out of memory") throw new Error("The GPU went away.");
          throw new OutOfMemoryError({ bytes: 158e6, held: 3e9, purpose: "step arena" });
        }
        const rates = { gradientNorm: 1, learningRate: 1e-5, tokens: 10, tokensPerSecond: 100 };
        yield { type: "step", step, epoch: 1, loss: 1 / step, ...rates };
      }
      const metrics = computeMetrics(labels, [0, 1, 1, 0], [0, 1, 0, 0], 0.5);
      yield { type: "evaluation", split: "validation", step: 4, epoch: 1, metrics, best: true };
      yield { type: "evaluation", split: "test", step: 4, epoch: 1, metrics, best: true };
      yield {
        type: "done",
        result: {
          run,
          method,
          ...parameters,
          bestStep: 4,
          bestEpoch: 1,
          validation: [metrics],
          validationSteps: [4],
          test: metrics,
          totalSteps,
          stoppedEarly: false,
          trainingSeconds: 12.5,
          totalSeconds: 15,
          tokensPerSecond: 100,
          peakGpuBytes: 1000,
          weights: new Map(),
        },
      };
    },
    exportRun({ method, baseModel }) {
      options.bases?.push(baseModel.name);
      return Promise.resolve([{ name: "weights", content: method.method }]);
    },
    exportRandomBase() {
      options.bases?.push("saved");
      return Promise.resolve([{ name: "config.json", content: "{}" }]);
    },
  };
}

/** Keeps what is written. */
export function recorder(): Output & { text: string } {
  return {
    text: "",
    write(text: string) {
      this.text += text;
    },
    terminal: false,
    color: false,
    columns: () => 80,
  };
}
