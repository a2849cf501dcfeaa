/**
 * Kernel launches: text → pipeline → bind group → dispatch → submit. Pipelines are compiled when
 * first used; bind groups and uniform buffers are cached by content, so that a steady step records
 * 500 dispatches in about a millisecond of host time. Commands collect in one encoder.
 */
import type { Kernel } from "../kernels/mod.ts";
import { DeviceError } from "./errors.ts";
import type { Storage } from "./memory.ts";

/** A piece of a buffer, as a kernel binds it. */
export interface Binding {
  storage: Storage;
  /** Bytes, a multiple of the adapter's alignment. */
  offset: number;
  /** Bytes; rounded up to a vec4. */
  size: number;
}

/** A uniform buffer that a kernel binds besides `params`, such as `random`; `id` is the launcher's. */
export interface UniformBinding {
  uniform: GPUBuffer;
  id: number;
}

/** A texture that a kernel reads; `id` is the launcher's. */
export interface TextureBinding {
  texture: GPUTextureView;
  id: number;
}

/** What a name of a kernel may be bound to. */
export type Resource = Binding | UniformBinding | TextureBinding;

/** A launch as it was first made: what it was of, and what is needed to make it again. */
interface Prepared {
  words: readonly number[];
  group: GPUBindGroup;
}

/** A dispatch, ready to be encoded. */
interface Dispatch {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: readonly [number, number, number?];
}

/** A command that is no dispatch: a copy or a clear. */
type OtherCommand = (encoder: GPUCommandEncoder) => void;

type Command = Dispatch | OtherCommand;

interface Pipeline {
  id: number;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** Dispatches are submitted in portions: the GPU starts early, and none runs into a watchdog. */
const dispatchesPerSubmit = 128;
/** Above this many, the caches are emptied when a step ends: shapes that never come back. */
const cacheLimit = 20_000;

export class Launcher {
  #gpu: GPUDevice;
  #onError: (error: DeviceError) => void;
  #pipelines = new Map<Kernel, Pipeline>();
  #uniforms = new Map<string, GPUBuffer>();
  #prepared = new Map<number, Prepared[]>();
  #preparedCount = 0;
  #repeats = new Map<object, Map<string, Command[]>>();
  #repeatedCount = 0;
  /** What {@link repeat} is noting; undefined outside it, and where it cannot be repeated. */
  #noted?: Command[];
  /** Pipeline, bindings and params of the launch at hand, which tell it from others. */
  #words: number[] = [];
  #encoder?: GPUCommandEncoder;
  #pass?: GPUComputePassEncoder;
  #pending = 0;
  #nextId = 1;
  /** Dispatches since the device was made. */
  dispatches = 0;

  constructor(gpu: GPUDevice, onError: (error: DeviceError) => void) {
    this.#gpu = gpu;
    this.#onError = onError;
  }

  /**
   * Launches a kernel on [x, y, z] workgroups. `bindings` and `params` go by the names in the WGSL text.
   * Throws, naming the kernel, where a name is unknown or a field is missing.
   */
  launch(
    kernel: Kernel,
    bindings: Readonly<Record<string, Resource>>,
    params: Readonly<Record<string, number>>,
    workgroups: readonly [number, number, number?],
  ): void {
    const compiled = this.#pipelines.get(kernel) ?? this.#compile(kernel);
    const group = this.#group(compiled, kernel, bindings, params);
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
    const known = this.#repeats.get(owner)?.get(key);
    if (known) {
      for (const command of known) {
        if (typeof command === "function") this.#command(command);
        else this.#dispatch(command);
      }
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
    return { uniform, id: this.#nextId++ };
  }

  /** A texture as a kernel binds it. */
  bindTexture(texture: GPUTexture): TextureBinding {
    return { texture: texture.createView(), id: this.#nextId++ };
  }

  /** Records a command that is no dispatch: a copy or a clear. */
  record(command: OtherCommand): void {
    this.#noted?.push(command);
    this.#command(command);
  }

  /** Hands what was recorded to the GPU. */
  submit(): void {
    this.#pass?.end();
    if (this.#encoder) this.#gpu.queue.submit([this.#encoder.finish()]);
    this.#encoder = this.#pass = undefined;
    this.#pending = 0;
  }

  /** Empties the caches that name buffers; called after buffers were destroyed. */
  forget(): void {
    this.#prepared.clear();
    this.#preparedCount = 0;
    this.#repeats.clear();
    this.#repeatedCount = 0;
  }

  endStep(): void {
    this.submit();
    if (this.#preparedCount > cacheLimit || this.#repeatedCount > cacheLimit) this.forget();
    if (this.#uniforms.size > cacheLimit) {
      this.#uniforms.forEach((buffer) => buffer.destroy());
      this.#uniforms.clear();
      this.forget();
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

  /**
   * The bind group of a launch: the one that an equal launch had. Equal launches are found by a hash of
   * numbers, since building a string for each of 500 launches would take most of a step's host time.
   */
  #group(
    { id, layout }: Pipeline,
    kernel: Kernel,
    bindings: Readonly<Record<string, Resource>>,
    params: Readonly<Record<string, number>>,
  ): GPUBindGroup {
    const words = this.#words;
    let count = 0;
    words[count++] = id;
    for (const name in bindings) {
      const bound = bindings[name];
      if ("storage" in bound) {
        words[count++] = bound.storage.id;
        words[count++] = bound.offset;
        words[count++] = bound.size;
      } else words[count++] = bound.id;
    }
    for (const { name } of kernel.params) words[count++] = params[name];
    words.length = count;
    let hash = 0;
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ words[i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const alike = this.#prepared.get(hash) ?? [];
    const known = alike.find((prepared) => equal(prepared.words, words));
    if (known) return known.group;
    const uniform = kernel.params.length > 0 ? this.#uniform(kernel, params) : undefined;
    const group = this.#bind(kernel, layout, uniform, bindings);
    alike.push({ words: [...words], group });
    this.#prepared.set(hash, alike);
    this.#preparedCount++;
    return group;
  }

  #compile(kernel: Kernel): Pipeline {
    this.#gpu.pushErrorScope("validation");
    const module = this.#gpu.createShaderModule({ code: kernel.source, label: kernel.name });
    const pipeline = this.#gpu.createComputePipeline({
      label: kernel.name,
      layout: "auto",
      compute: { module, entryPoint: kernel.entryPoint, constants: kernel.constants },
    });
    this.#gpu.popErrorScope().then((error) => {
      if (error) this.#onError(new DeviceError(`Kernel ${kernel.name}: ${error.message}`));
    }, () => {});
    const compiled = { id: this.#nextId++, pipeline, layout: pipeline.getBindGroupLayout(0) };
    this.#pipelines.set(kernel, compiled);
    return compiled;
  }

  #uniform(kernel: Kernel, params: Readonly<Record<string, number>>): GPUBuffer {
    let key = kernel.name;
    for (const { name } of kernel.params) {
      const value = params[name];
      if (value === undefined) {
        throw new DeviceError(`Kernel ${kernel.name}: no value for params.${name}.`);
      }
      key += `,${value}`;
    }
    let buffer = this.#uniforms.get(key);
    if (buffer === undefined) {
      const size = Math.ceil(kernel.params.length / 4) * 16;
      buffer = this.#gpu.createBuffer({ size, usage: 0x40 | 0x08 }); // UNIFORM | COPY_DST
      const view = new DataView(new ArrayBuffer(size));
      kernel.params.forEach(({ name, type }, index) => {
        if (type === "u32") view.setUint32(4 * index, params[name], true);
        else view.setFloat32(4 * index, params[name], true);
      });
      this.#gpu.queue.writeBuffer(buffer, 0, view);
      this.#uniforms.set(key, buffer);
    }
    return buffer;
  }

  #bind(
    kernel: Kernel,
    layout: GPUBindGroupLayout,
    params: GPUBuffer | undefined,
    bindings: Readonly<Record<string, Resource>>,
  ): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = params
      ? [{ binding: 0, resource: { buffer: params } }]
      : [];
    for (const [name, bound] of Object.entries(bindings)) {
      const binding = kernel.bindings.get(name);
      if (binding === undefined) {
        throw new DeviceError(`Kernel ${kernel.name} has no binding "${name}".`);
      }
      entries.push({ binding, resource: resourceOf(bound) });
    }
    this.#gpu.pushErrorScope("validation");
    const group = this.#gpu.createBindGroup({
      label: kernel.name,
      layout,
      entries,
    });
    this.#gpu.popErrorScope().then((error) => {
      if (error) this.#onError(new DeviceError(`Kernel ${kernel.name}: ${error.message}`));
    }, () => {});
    return group;
  }
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function resourceOf(bound: Resource): GPUBindingResource {
  if ("uniform" in bound) return { buffer: bound.uniform };
  if ("texture" in bound) return bound.texture;
  return { buffer: bound.storage.buffer, offset: bound.offset, size: bound.size };
}
