/** What an experiment needs of the other rooms, in one object, so that a test can stand in. */
import type { DeviceInfo, KernelChoice } from "../engine/device.ts";
import type { Product, TunedPlans } from "../engine/plans.ts";
import type { MatmulPrecision } from "../engine/precision.ts";
import type { BertConfig } from "../models/bert/config.ts";
import type { Tokenizer } from "../models/text/tokenizer.ts";
import type { WeightSource } from "../models/bert/weights.ts";
import type { Dataset } from "../models/data/load.ts";
import type { Split } from "../models/data/split.ts";
import type { HubSettings } from "../models/host/settings.ts";
import type { RunFile } from "../models/files/run_file.ts";
import type { ExportRequest } from "../models/peft/export.ts";
import type { Method } from "../models/peft/method.ts";
import type { ResolvedModel } from "../models/host/resolve.ts";
import type { Hyperparameters, TrainingEvent } from "../models/training/events.ts";

/** What the command line itself asks of a GPU device. */
export interface DeviceHandle {
  info: DeviceInfo;
  kernels: Pick<KernelChoice, "matmul">;
  destroy(): void;
}

export interface TrainingTools<Device extends DeviceHandle> {
  /** Throws a UserError where the adapter has no products of that precision. */
  createDevice(options?: { matmulPrecision?: MatmulPrecision }): Promise<Device>;
  resolveModel(name: string | undefined, hub: HubSettings): Promise<ResolvedModel>;
  loadDataset(options: {
    dataset?: string;
    textColumn?: string;
    labelColumn?: string;
    useSample?: boolean;
    hub: HubSettings;
  }): Promise<Dataset>;
  stratifiedSplit(dataset: Dataset, options: { seed: number; maxSamples?: number }): Split;
  loadTokenizer(folder: string, embeddings: number): Promise<Tokenizer>;
  openWeights(model: ResolvedModel): Promise<WeightSource>;
  train(options: {
    run: string;
    config: BertConfig;
    method: Method;
    labels: string[];
    weights: WeightSource;
    encode(text: string): number[];
    split: Split;
    hyperparameters: Hyperparameters;
    gradientCheckpointing: boolean;
    device: Device;
  }): AsyncGenerator<TrainingEvent>;
  /** Names adapter and kernels: what was tuned under another key is of no use. */
  tuningKey(device: Device): string;
  /** Times plans for the products, but for known ones; from then on the device uses what comes out. */
  tuneKernels(
    device: Device,
    products: readonly Product[],
    options: { known: TunedPlans; report: (done: number, classes: number) => void },
  ): Promise<TunedPlans>;
  /** The files of a run, to be written. */
  exportRun(request: ExportRequest): Promise<RunFile[]>;
  exportRandomBase(request: Omit<ExportRequest, "method" | "weights">): Promise<RunFile[]>;
}
