/**
 * Kernel launches: text → pipeline → bind group → dispatch → submit. Pipelines are compiled when first
 * used, bind groups come from a cache, and a step that was there before is a list of commands to encode
 * again. Commands collect in one encoder.
 */
import type { Extension, Kernel } from "../kernels/mod.ts";
import {
  BindGroups,
  cacheLimit,
  type Pipeline,
  type Resource,
  type UniformBinding,
} from "./bind_groups.ts";
import { sourceFor } from "./dialect.ts";
import { DeviceError } from "./errors.ts";
import type { Memory } from "./memory.ts";
import { Staging } from "./staging.ts";

/** A dispatch, ready to be encoded. */
interface Dispatch {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: readonly [number, number, number?];
}

/** A command that is no dispatch: a copy or a clear. */
type OtherCommand = (encoder: GPUCommandEncoder) => void;

type Command = Dispatch | OtherCommand;

/** Dispatches are submitted in portions: the GPU starts early, and none runs into a watchdog. */
const dispatchesPerSubmit = 128;

export class Launcher {
  #gpu: GPUDevice;
  #namedExtensions: readonly Extension[];
  #onError: (error: DeviceError) => void;
  #pipelines = new Map<Kernel, Pipeline>();
  #bindGroups: BindGroups;
  #staging: Staging;
  #repeats = new Map<object, Map<string, Command[]>>();
  #repeatedCount = 0;
  /** What {@link repeat} is noting; undefined outside it, and where it cannot be repeated. */
  #noted?: Command[];
  #encoder?: GPUCommandEncoder;
  #pass?: GPUComputePassEncoder;
  #pending = 0;
  #nextId = 1;
  /** Dispatches since the device was made. */
  dispatches = 0;
  /** Times that commands were handed to the GPU. */
  submissions = 0;

  constructor(
    gpu: GPUDevice,
    namedExtensions: readonly Extension[],
    memory: Memory,
    onError: (error: DeviceError) => void,
  ) {
    this.#gpu = gpu;
    this.#namedExtensions = namedExtensions;
    this.#onError = onError;
    this.#bindGroups = new BindGroups(gpu, onError);
    this.#staging = new Staging(gpu, memory, this);
  }

  /**
   * Launches a kernel on [x, y, z] workgroups. `bindings` and `params` go by the names in the WGSL text; what is a
   * texture there is copied into one first. Throws, naming the kernel, where a name is unknown or a field is missing.
   */
  launch(
    kernel: Kernel,
    bindings: Readonly<Record<string, Resource>>,
    params: Readonly<Record<string, number>>,
    workgroups: readonly [number, number, number?],
  ): void {
    const compiled = this.#pipelines.get(kernel) ?? this.#compile(kernel);
    const bound = this.#staging.stage(kernel, bindings);
    const group = this.#bindGroups.of(compiled, kernel, bound, params);
    this.#staging.written(kernel, bindings);
    const dispatch = { pipeline: compiled.pipeline, group, workgroups };
    this.#noted?.push(dispatch);
    this.#dispatch(dispatch);
  }

  /**
   * Runs what makes launches the first time, and afterwards launches the same again without running it: a step
   * of training becomes a list of commands. `key` must tell apart all that its launches depend on, `owner` whose
   * they are. What writes to a buffer while it runs cannot be repeated, and runs every time.
   */
  repeat(owner: object, key: string, run: () => void): void {
    this.#staging.forget(); // a list of commands makes the copies that it needs
    const known = this.#repeats.get(owner)?.get(key);
    if (known) {
      for (const command of known) {
        if (typeof command === "function") this.#command(command);
        else this.#dispatch(command);
      }
      this.#staging.forget();
      return;
    }
    const noted: Command[] = [];
    this.#noted = noted;
    try {
      run();
      if (this.#noted !== noted) return;
      const repeats = this.#repeats.get(owner) ?? new Map();
      this.#repeats.set(owner, repeats.set(key, noted));
      this.#repeatedCount += noted.length;
    } finally {
      this.#noted = undefined;
    }
  }

  /** What is being noted depends on more than launches, such as a write: it runs again every time. */
  cannotRepeat(): void {
    this.#noted = undefined;
  }

  /** A uniform buffer of four words that changes from step to step; the queue writes to it. */
  createUniform(): UniformBinding {
    const uniform = this.#gpu.createBuffer({ size: 16, usage: 0x40 | 0x08 }); // UNIFORM | COPY_DST
    return { uniform, id: this.newId() };
  }

  /** A number that tells a resource from all others of this launcher. */
  newId(): number {
    return this.#nextId++;
  }

  /** Records a command that is no dispatch: a copy or a clear. */
  record(command: OtherCommand): void {
    this.#staging.forget(); // it may write to anything
    this.stage(command);
  }

  /** Records a copy into a texture: see staging.ts. */
  stage(command: OtherCommand): void {
    this.#noted?.push(command);
    this.#command(command);
  }

  /** Hands what was recorded to the GPU. */
  submit(): void {
    this.#staging.forget(); // the queue may write before what comes next
    this.#pass?.end();
    if (this.#encoder) {
      this.#gpu.queue.submit([this.#encoder.finish()]);
      this.submissions++;
    }
    this.#encoder = this.#pass = undefined;
    this.#pending = 0;
  }

  /** Destroys staged textures and empties the caches; what was recorded must have been submitted. */
  trim(): void {
    this.#staging.trim();
    this.forget();
  }

  /** Empties the caches that name buffers; called after buffers were destroyed. */
  forget(): void {
    this.#bindGroups.forget();
    this.#repeats.clear();
    this.#repeatedCount = 0;
  }

  endStep(): void {
    this.submit();
    if (this.#bindGroups.full || this.#repeatedCount > cacheLimit) {
      this.forget();
      this.#bindGroups.clear();
    }
  }

  #dispatch({ pipeline, group, workgroups: [x, y, z = 1] }: Dispatch): void {
    this.#encoder ??= this.#gpu.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
    if (++this.#pending >= dispatchesPerSubmit) this.submit();
  }

  #command(command: OtherCommand): void {
    this.#encoder ??= this.#gpu.createCommandEncoder();
    this.#pass?.end();
    this.#pass = undefined;
    command(this.#encoder);
    this.#pending++;
  }

  #compile(kernel: Kernel): Pipeline {
    this.#gpu.pushErrorScope("validation");
    const module = this.#gpu.createShaderModule({
      code: sourceFor(kernel, this.#namedExtensions),
      label: kernel.name,
    });
    const pipeline = this.#gpu.createComputePipeline({
      label: kernel.name,
      layout: "auto",
      compute: { module, entryPoint: kernel.entryPoint, constants: kernel.constants },
    });
    const layout = pipeline.getBindGroupLayout(0);
    this.#gpu.popErrorScope().then((error) => {
      if (error) this.#onError(new DeviceError(`Kernel ${kernel.name}: ${error.message}`));
    }, () => {});
    const compiled = { id: this.newId(), pipeline, layout };
    this.#pipelines.set(kernel, compiled);
    return compiled;
  }
}
