/** Tools without a GPU: a training that yields plausible events and files, for tests of the cli. */
import type { DeviceHandle, TrainingTools } from "../../cli/train/tools.ts";
import { NoAdapterError, OutOfMemoryError } from "../../engine/errors.ts";
import { type RefusedPlan, registerPlan } from "../../engine/plans.ts";
import type { MatmulPrecision } from "../../engine/precision.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { WriteError } from "../../models/host/write.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { computeMetrics } from "../../models/training/metrics.ts";
import type { TrainState } from "../../models/training/state.ts";

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
  /** The training of the run of this name goes no further than its second step, but stops where it is to. */
  hangIn?: string;
  /** Does not even do that. */
  deaf?: boolean;
  /** The files of so many exports cannot be written, since the disk is full. */
  fullDisks?: number;
  /** The model's folder; none that there is unless given. */
  model?: string;
  notice?: string;
  seen?: { run: string; seed: number; firstTexts: string[] }[];
  hash?: string;
  /** Makes the model one that is built in, and gets the name of the base of every export. */
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
          namedExtensions: [],
        },
        kernels: { matmul: registerPlan(1, 1) },
        maxBindingBytes: 2 ** 27,
        destroy() {},
      });
    },
    resolveModel: (name) =>
      Promise.resolve({
        name: name ?? "bert-base-uncased",
        folder: options.model ?? "/nowhere",
        builtIn: options.bases !== undefined,
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
        otherColumns: [],
        lookAlikes: [],
        hash: options.hash ?? "0123",
        notices: [],
      }),
    stratifiedSplit,
    loadTokenizer: () =>
      Promise.resolve({
        vocabSize: 100,
        idOf: () => undefined,
        encode: () => [1, 2],
        files: [],
        notices: options.notice === undefined ? [] : ["A TOKEN HAS ANOTHER ID"],
      }),
    stepProducts: () => [],
    tuningKey: () => "a test's GPU",
    tuneKernels: (_device, _products, { known, refused }) =>
      Promise.resolve({ plans: known, refused: options.refused ?? refused, left: [] }),
    openWeights: () => Promise.resolve(randomWeights("a test")),
    async *train({ run, method, config, hyperparameters, split, stopRequested }, from) {
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
      for (let step = (from?.step ?? 0) + 1; step <= totalSteps; step++) {
        await Promise.resolve();
        for (let waits = 0; options.hangIn === run && step === 3 && waits < 6000; waits++) {
          if (waits === 0) Deno.writeTextFileSync("hangs", ""); // in the test's folder
          await new Promise((resolve) => setTimeout(resolve, 10));
          if (options.deaf || !stopRequested()) continue;
          const capture = () =>
            Promise.resolve(stateOf({ method, model: config, hyperparameters }));
          yield { type: "checkpoint", step: step - 1, stopRequested: true, capture };
        }
        if (options.failIn === run && step === 3) {
          if (options.deviceError !== "out of memory") throw new Error("The GPU went away.");
          throw new OutOfMemoryError({
            bytes: 158e6,
            held: 3e9,
            purpose: "step arena",
            use: "batch",
          });
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
          testSeconds: 0.5,
          predictions: split.test.map(({ label }) => ({
            predicted: label,
            probability: 0.75,
            confidence: 0.75,
          })),
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
      if (options.fullDisks) {
        options.fullDisks--;
        const full = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
        return Promise.reject(new WriteError("weights", full));
      }
      options.bases?.push(baseModel.name);
      return Promise.resolve([{ name: "weights", content: method.method }]);
    },
    builtInFiles() {
      options.bases?.push("saved");
      return Promise.resolve([{ name: "config.json", content: "{}" }]);
    },
  };
}

/** A run's state after its second step. */
export function stateOf(
  of: Pick<TrainState["of"], "method" | "model" | "hyperparameters">,
  step = 2,
): TrainState {
  const data = Float32Array.of(step, -0, 1e-45);
  return {
    of: { ...of, labels, examples: 32 },
    step,
    epoch: 0,
    stepsOfEpoch: step,
    weights: new Map([["w", { shape: [3, 1], data }]]),
    optimizer: { steps: step, moments: new Map([["w", { mean: data, variance: data }]]) },
    evaluations: [],
    tokens: 20,
    seconds: 1.5,
    totalSeconds: 2.5,
    peakGpuBytes: 100,
    kernels: {
      adapter: "a test's GPU",
      choice: {
        matmul: registerPlan(1, 1),
        broadcastLanes: 0,
        attentionTextures: false,
        rowLanes: 1,
        activations: "f32",
        nativeF16: false,
      },
      tuned: {},
    },
  };
}
