/**
 * Bind groups and the uniform buffers with a launch's parameters, cached by content: an equal launch gets the
 * bind group that it had before.
 */
import type { Kernel } from "../kernels/mod.ts";
import { BindingTooLargeError, DeviceError } from "./errors.ts";
import type { Storage } from "./memory.ts";

/** A piece of a buffer, as a kernel binds it. */
export interface Binding {
  storage: Storage;
  /** Bytes, a multiple of the adapter's alignment. */
  offset: number;
  /** Bytes; rounded up to a vec4. */
  size: number;
  /** Bytes of a matrix's row, by which it can be copied into a texture. */
  rowBytes?: number;
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

/** A compiled kernel; `id` is the launcher's. */
export interface Pipeline {
  id: number;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** Above this many, a cache is emptied when a step ends: shapes that never come back. */
export const cacheLimit = 20_000;

export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #onError: (error: DeviceError) => void;
  readonly #uniforms = new Map<string, GPUBuffer>();
  readonly #prepared = new Map<number, Prepared[]>();
  #preparedCount = 0;
  /** Pipeline, names' bindings and params of the launch at hand, which tell it from others. */
  readonly #words: number[] = [];

  constructor(gpu: GPUDevice, onError: (error: DeviceError) => void) {
    this.#gpu = gpu;
    this.#onError = onError;
  }

  /** Whether there are so many that it is time to {@link clear}. */
  get full(): boolean {
    return this.#preparedCount > cacheLimit || this.#uniforms.size > cacheLimit;
  }

  /** Forgets the groups, which name buffers. */
  forget(): void {
    this.#prepared.clear();
    this.#preparedCount = 0;
  }

  /** Forgets everything. What was recorded must have been submitted: it reads the uniform buffers. */
  clear(): void {
    this.forget();
    this.#uniforms.forEach((buffer) => buffer.destroy());
    this.#uniforms.clear();
  }

  /**
   * The bind group of a launch: the one that an equal launch had. Equal launches are found by a hash of
   * numbers, since building a string for each of 500 launches would take most of a step's host time. Throws,
   * naming the kernel, where a name is unknown, a field is missing, or a tensor is too large to be bound.
   */
  of(
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
      words[count++] = kernel.bindings.get(name) ?? -1; // which name it is bound to; -1 is refused below
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
      // Not through a DataView, which Dawn's binding for Node does not take.
      const words = new Uint32Array(size / 4);
      const floats = new Float32Array(words.buffer);
      kernel.params.forEach(({ name, type }, index) => {
        (type === "u32" ? words : floats)[index] = params[name];
      });
      this.#gpu.queue.writeBuffer(buffer, 0, words);
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
    const limit = this.#gpu.limits.maxStorageBufferBindingSize;
    for (const [name, bound] of Object.entries(bindings)) {
      const binding = kernel.bindings.get(name);
      if (binding === undefined) {
        throw new DeviceError(`Kernel ${kernel.name} has no binding "${name}".`);
      }
      if ("storage" in bound && bound.size > limit) {
        throw new BindingTooLargeError({
          bytes: bound.size,
          limit,
          kernel: kernel.name,
          binding: name,
          purpose: bound.storage.buffer.label || "buffer",
          use: bound.storage.use,
        });
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
