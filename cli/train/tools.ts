/** What an experiment needs of the other rooms, in one object, so that a test can stand in. */
import type { DeviceInfo } from "../../engine/adapter.ts";
import type { DeviceOptions, KernelChoice } from "../../engine/device.ts";
import type { Product } from "../../engine/plans.ts";
import type { Tuned, TuneOptions } from "../../engine/tuner.ts";
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import type { WeightSource } from "../../models/encoders/weights.ts";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import type { Dataset } from "../../models/data/load.ts";
import type { Split } from "../../models/data/split.ts";
import type { DatasetRequest } from "../../models/host/dataset.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import type { RunFile } from "../../models/files/run_file.ts";
import type { ExportRequest } from "../../models/peft/export.ts";
import type { ModelOptions } from "../../models/model.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { StepSize } from "../../models/training/products.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import type { Hyperparameters, TrainingEvent } from "../../models/training/events.ts";
import type { Ranks } from "../../models/training/ranks.ts";
import type { TrainState } from "../../models/training/state.ts";

/** What the command line itself asks of a GPU device. */
export interface DeviceHandle {
  info: DeviceInfo;
  kernels: Pick<KernelChoice, "matmul">;
  maxBindingBytes: number;
  destroy(): void;
}

/** `maxBindingBytes`, so that several adapters have the same. */
export type CreateOptions = Pick<
  DeviceOptions,
  "matmulPrecision" | "computeDtype" | "maxBindingBytes"
>;

export interface TrainingTools<Device extends DeviceHandle> {
  /** Throws a UserError where the adapter has no products of that precision. */
  createDevice(options?: CreateOptions): Promise<Device>;
  resolveModel(name: string | undefined, hub: HubSettings): Promise<ResolvedModel>;
  loadDataset(request: DatasetRequest): Promise<Dataset>;
  stratifiedSplit(dataset: Dataset, options: { seed: number; maxSamples?: number }): Split;
  loadTokenizer(folder: string, embeddings: number): Promise<Tokenizer>;
  /** A model's weights for these classes. */
  openWeights(model: ResolvedModel, labels: readonly string[]): Promise<WeightSource>;
  /** Trains a run, or goes on `from` a state of it. */
  train(options: {
    run: string;
    config: EncoderConfig;
    method: Method;
    labels: string[];
    weights: WeightSource;
    encode(text: string): number[];
    split: Split;
    hyperparameters: Hyperparameters;
    gradientCheckpointing: boolean;
    checkpointSteps: number | undefined;
    stopRequested(): boolean;
    device: Device;
    /** The processes that train the run together, where there are several. */
    ranks?: Ranks;
  }, from?: TrainState): AsyncGenerator<TrainingEvent>;
  /** The matrix products of a training step. */
  stepProducts(device: Device, options: ModelOptions, size: StepSize): Product[];
  /** Names adapter and kernels: what was tuned under another key is of no use. */
  tuningKey(device: Device): string;
  /** Times plans for the products, but for what is known; from then on the device uses what comes out. */
  tuneKernels(
    device: Device,
    products: readonly Product[],
    options: Required<Pick<TuneOptions, "known" | "refused" | "report">>,
  ): Promise<Tuned>;
  /** The files of a run, to be written. */
  exportRun(request: ExportRequest): Promise<RunFile[]>;
  /** The files of the built-in model, which lies in a folder. */
  builtInFiles(folder: string): Promise<RunFile[]>;
}
