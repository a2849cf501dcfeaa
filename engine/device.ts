/** The GPU as the engine sees it: memory, launches, the step and the random state. */
import type { MatmulPlan } from "../kernels/mod.ts";
import { type DeviceInfo, infoOf, ownLimits } from "./adapter.ts";
import type { UniformBinding } from "./bind_groups.ts";
import { proveCooperative } from "./cooperative.ts";
import { namedExtensions } from "./dialect.ts";
import {
  AdapterTooSmallError,
  BindingTooLargeError,
  DeviceError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "./errors.ts";
import { Launcher } from "./launcher.ts";
import { matrixUnits, refusal } from "./matrix_units.ts";
import { Memory, type Storage } from "./memory.ts";
import { adapterPlan, type Product, type TunedPlans } from "./plans.ts";
import type { ComputeDtype, MatmulPrecision } from "./precision.ts";
import { domains, randomKey } from "./random.ts";

/** How kernels are cut for an adapter. */
export interface KernelChoice {
  /** The plan for matrix products whose class of shapes is not tuned. */
  matmul: MatmulPlan;
  /**
   * Subgroup size by which attention and LoRA hand loads round, as pays on a CPU. 0 elsewhere: there workgroup
   * memory serves for it, and a workgroup shares the long sums of small results.
   */
  broadcastLanes: number;
  /** Whether what attention hands round comes from textures, into which its inputs are copied. */
  attentionTextures: boolean;
  /** Invocations a row in LayerNorm and softmax. */
  rowLanes: number;
  /** How activations and their gradients lie in memory. */
  activations: ComputeDtype;
  /** Whether kernels take f16 values in the words of WGSL's extension, and not as pairs in words of 32 bits. */
  nativeF16: boolean;
}

export interface DeviceOptions {
  /** The implementation of WebGPU; the runtime's own, `navigator.gpu`, unless given. */
  gpu?: GPU;
  /** Overrides the choice for the adapter; tests use small tiles, which compile fast. */
  kernels?: Partial<KernelChoice>;
  /** Bytes that one binding may have, where the adapter's own limit is not wanted (tests). */
  maxBindingBytes?: number;
  /** Features besides the kernels' own, such as "timestamp-query"; one that the adapter lacks is left out. */
  features?: readonly GPUFeatureName[];
  /** f16: matrix products on matrix units, from operands rounded to f16; f32 unless given. */
  matmulPrecision?: MatmulPrecision;
  /** f16: activations and their gradients in 16 bits a value; f32 unless given. */
  computeDtype?: ComputeDtype;
}

/** Storage buffers of the widest kernel, a product with LoRA's beside it and a residual. */
export const neededBindings = 8;

/** The least subgroup that rows are shared in: a GPU's is larger, llvmpipe without AVX has 4 lanes. */
const sharingLanes = { software: 4, gpu: 8 };

/**
 * Asks for the WebGPU adapter and its device, with the adapter's own limits. Throws NoAdapterError or
 * AdapterTooSmallError where there is none that will do, and CooperativeError where f16 products cannot be had.
 */
export async function createDevice(options: DeviceOptions = {}): Promise<Device> {
  const webgpu = options.gpu ?? navigator.gpu;
  const adapter = await webgpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new NoAdapterError();
  const offered = adapter.limits.maxStorageBuffersPerShaderStage;
  if (offered < neededBindings) {
    const { description } = adapter.info;
    throw new AdapterTooSmallError({ description, needed: neededBindings, offered });
  }
  const requiredLimits = ownLimits(adapter);
  const gpuInfo = adapter.info;
  const info = infoOf(gpuInfo);
  const subgroups = "subgroups" as GPUFeatureName; // granted by wgpu though `features` omits it
  const units = options.matmulPrecision === "f16" ? matrixUnits(adapter) : undefined;
  const { computeDtype: activations = "f32" } = options;
  const f16: GPUFeatureName[] = activations === "f16" ? ["shader-f16"] : [];
  const wanted: GPUFeatureName[] = ["timestamp-query", ...f16, ...options.features ?? []]; // the tuner times
  const granted = wanted.filter((feature) => adapter.features.has(feature));
  const extra = [...new Set([...granted, ...units?.features ?? []])];
  let gpu: GPUDevice;
  const leastLanes = info.software ? sharingLanes.software : sharingLanes.gpu;
  let hasSubgroups = (gpuInfo.subgroupMinSize ?? 0) >= leastLanes;
  try {
    gpu = await adapter.requestDevice({
      requiredLimits,
      requiredFeatures: [...extra, ...(hasSubgroups ? [subgroups] : [])],
    });
  } catch (error) {
    if (units) throw refusal(error);
    if (!hasSubgroups) throw new DeviceError(`The WebGPU device was refused: ${error}`);
    hasSubgroups = false;
    const again = await webgpu.requestAdapter({ powerPreference: "high-performance" });
    gpu = await again!.requestDevice({ requiredLimits, requiredFeatures: extra });
  }
  if (hasSubgroups) info.subgroupMinSize = gpuInfo.subgroupMinSize;
  info.namedExtensions = await namedExtensions(gpu);
  const kernels: KernelChoice = {
    matmul: adapterPlan(info),
    broadcastLanes: hasSubgroups && info.software && info.subgroupSize <= 8 ? info.subgroupSize : 0,
    attentionTextures: info.software,
    rowLanes: info.software ? 8 : 32,
    activations,
    // Textures hold pairs of values, not f16's.
    nativeF16: activations === "f16" && gpu.features.has("shader-f16") && !info.software,
    ...options.kernels,
  };
  const withPlan = (matmul: MatmulPlan) =>
    new Device(gpu, info, { ...kernels, matmul }, options.maxBindingBytes);
  if (!units) return withPlan(kernels.matmul);
  try {
    const { software } = info;
    return await proveCooperative(withPlan, units, { lanes: gpuInfo.subgroupMaxSize, software });
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

/** The first token and the first sentence of a batch in the whole one, of which it is a part. */
export interface BatchStart {
  token: number;
  sentence: number;
}
const wholeBatch: BatchStart = { token: 0, sentence: 0 };

export class Device {
  readonly gpu: GPUDevice;
  readonly info: DeviceInfo;
  readonly kernels: KernelChoice;
  /** Told every product that takes a plan of the matmul family, before it is launched: see trace.ts. */
  onProduct?: (product: Product) => void;
  /** Bytes that one binding may have. */
  readonly maxBindingBytes: number;
  readonly memory: Memory;
  readonly launcher: Launcher;
  /** Seed and step, which dropout reads: see kernels/random.wgsl. */
  readonly random: UniformBinding;
  /** The next dropout site's number; a recomputed part of a forward pass is put back to its first. */
  dropoutSite = 0;
  #tunedPlans: TunedPlans = {};
  #one?: Storage;
  #error?: DeviceError;
  /** What the GPU told by itself: on Dawn what follows from a kernel's mistake comes before the mistake. */
  #reported?: DeviceError;

  constructor(gpu: GPUDevice, info: DeviceInfo, kernels: KernelChoice, maxBindingBytes?: number) {
    this.gpu = gpu;
    this.info = info;
    this.kernels = kernels;
    this.maxBindingBytes = maxBindingBytes ?? gpu.limits.maxStorageBufferBindingSize;
    const onError = (error: DeviceError) => this.#error ??= error;
    this.memory = new Memory(gpu, onError);
    this.launcher = new Launcher(gpu, info.namedExtensions, this.memory, onError);
    this.random = this.launcher.createUniform();
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.#reported ??= new DeviceError(`The GPU reports: ${message}`);
    });
    gpu.lost.then((lost) => onError(new DeviceLostError(lost)));
  }

  /** Plans that were tuned on this adapter: see tuner.ts. Lists of launches that were kept with others are dropped. */
  get tunedPlans(): TunedPlans {
    return this.#tunedPlans;
  }

  set tunedPlans(plans: TunedPlans) {
    if (plans === this.#tunedPlans) return;
    this.#tunedPlans = plans;
    this.launcher.forget();
  }

  /** Throws what the GPU has reported since, if anything. */
  check(): void {
    const error = this.#error ?? this.#reported;
    if (error) throw error;
  }

  /**
   * Runs what the GPU may refuse, such as an untried kernel, and waits for it. Returns what it reported, which is
   * then not held against what comes after, or undefined where all went well. Throws what was reported before,
   * what is no mistake of the kernels' (too little memory, a lost device), and what `run` throws besides.
   */
  async attempt(run: () => Promise<unknown>): Promise<DeviceError | undefined> {
    await this.finish();
    let thrown: unknown;
    try {
      await run();
      await this.finish();
      return undefined;
    } catch (error) {
      thrown = error;
    }
    this.launcher.submit();
    await this.gpu.queue.onSubmittedWorkDone();
    await aMoment(); // one mistake has several reports: of the pipeline, the bind group, the submission
    const error = this.#error ?? this.#reported ?? thrown;
    const blameless = [OutOfMemoryError, BindingTooLargeError, DeviceLostError];
    if (!(error instanceof DeviceError) || blameless.some((kind) => error instanceof kind)) {
      throw error;
    }
    this.#error = this.#reported = undefined;
    return error;
  }

  /** Starts a training step or an evaluation batch: sets what dropout draws from, and where the batch is in the whole one. */
  beginStep(seed: number, step: number, { token, sentence }: BatchStart = wholeBatch): void {
    this.check();
    this.dropoutSite = 0;
    this.launcher.submit(); // what was recorded before draws from the earlier step
    const key = randomKey(seed, domains.dropout, step);
    this.gpu.queue.writeBuffer(this.random.uniform, 0, Uint32Array.from([...key, token, sentence]));
  }

  /** Ends it: submits, and takes the step's buffers back. */
  endStep(): void {
    this.launcher.endStep();
    this.memory.endStep();
    this.check();
  }

  /** A buffer with the number 1, which backward passes start from. */
  get one(): Storage {
    if (!this.#one) {
      this.#one = this.memory.allocate(4, "one");
      this.gpu.queue.writeBuffer(this.#one.buffer, 0, Float32Array.of(1));
    }
    return this.#one;
  }

  /** Destroys the arena's free buffers and staged textures, such as when the next run has other shapes. */
  trim(): void {
    this.launcher.submit(); // what still reads them
    this.memory.trim();
    this.launcher.trim();
  }

  /** A number for a dropout site: the same for the same place in every step's forward pass. */
  nextDropoutSite(): number {
    return this.dropoutSite++;
  }

  /** Writes to a buffer; commands recorded before see the old content. */
  write(storage: Storage, offset: number, data: Float32Array | Uint32Array | Uint16Array): void {
    this.launcher.cannotRepeat();
    this.launcher.submit();
    this.gpu.queue.writeBuffer(storage.buffer, offset, data as BufferSource);
  }

  /** Reads bytes back; waits for all that was recorded. Costs about 12 ms on Deno: do it rarely. */
  async read(storage: Storage, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.check();
    const staging = this.gpu.createBuffer({ size: bytes, usage: 0x01 | 0x08 }); // MAP_READ | COPY_DST
    try {
      this.launcher.record((encoder) =>
        encoder.copyBufferToBuffer(storage.buffer, offset, staging, 0, bytes)
      );
      this.launcher.submit();
      await staging.mapAsync(1);
      this.check();
      return staging.getMappedRange().slice(0);
    } catch (error) {
      await aMoment();
      this.check();
      throw new DeviceError(`Reading from the GPU failed: ${error}`);
    } finally {
      staging.destroy();
    }
  }

  /** Waits until the GPU is idle, and throws what it reported. */
  async finish(): Promise<void> {
    this.launcher.submit();
    await this.gpu.queue.onSubmittedWorkDone();
    this.check();
  }

  destroy(): void {
    this.gpu.destroy();
  }
}

/** The time in which the reason of a failure arrives, which comes a moment after it. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 20));
