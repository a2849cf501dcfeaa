/**
 * Copies of matrices in textures, for adapters on which a texture is read faster than a buffer. Which of its
 * matrices a kernel reads so stands in its text, as `texture_2d`. A copy is made right before the kernel that reads
 * it, unless the last one in its texture is of the same matrix and nothing wrote to that since; one texture per width
 * and operand serves them all, since commands run in order. It is as high as the highest matrix so far, so that
 * batches of many sizes take no more memory than the largest.
 */
import type { Kernel } from "../kernels/mod.ts";
import type { Binding, Resource, TextureBinding } from "./bind_groups.ts";
import { DeviceError } from "./errors.ts";
import type { Launcher } from "./launcher.ts";
import { bucketSize, type Memory } from "./memory.ts";
import type { Tensor } from "./tensor.ts";

const textureUsage = 0x04 | 0x02; // TEXTURE_BINDING | COPY_DST
/** WebGPU's rule for the rows of a copy from a buffer. */
const rowAlignment = 256;
/** Four values a texel: of 32 bits, or packed ones of 16 in two words. */
const texels = {
  f32: { format: "rgba32float", bytes: 16 },
  u32: { format: "rg32uint", bytes: 8 },
} as const;

/**
 * A texture's width from which its rows spread over the cache: at least as wide, in an odd number of groups of
 * four texels, which are a cache line. Rows of 3,072 bytes would share 4 of 64 sets of a first-level cache.
 */
function oddLines(width: number): number {
  const lines = Math.ceil(width / 4);
  return 4 * (lines + 1 - lines % 2);
}

/** Whether a matrix [rows, columns], four values a texel, can be copied into a texture. */
export function fitsTexture({ device, rows, columns, binding: { rowBytes } }: Tensor): boolean {
  const limit = device.gpu.limits.maxTextureDimension2D;
  return rowBytes! % rowAlignment === 0 && Math.max(oddLines(columns / 4), rows) <= limit;
}

interface Staged {
  texture: GPUTexture;
  binding: TextureBinding;
  rows: number;
  bytes: number;
  /** The matrix of which it is known to hold a copy. */
  source?: Binding;
}

export class Staging {
  readonly #gpu: GPUDevice;
  readonly #memory: Memory;
  readonly #launcher: Launcher;
  readonly #staged = new Map<string, Staged>();

  constructor(gpu: GPUDevice, memory: Memory, launcher: Launcher) {
    this.#gpu = gpu;
    this.#memory = memory;
    this.#launcher = launcher;
  }

  /** A launch's bindings, with copies of what its kernel reads from textures. */
  stage(
    kernel: Kernel,
    bindings: Readonly<Record<string, Resource>>,
  ): Readonly<Record<string, Resource>> {
    if (!kernel.textures?.size) return bindings;
    const staged = { ...bindings };
    let operand = 0; // keeps those of one launch apart
    for (const [name, texel] of kernel.textures) {
      operand++;
      const matrix = bindings[name];
      if (!matrix || !("storage" in matrix)) continue;
      if (!matrix.rowBytes) {
        throw new DeviceError(`Kernel ${kernel.name}: ${name} is a texture; bind a whole tensor.`);
      }
      staged[name] = this.#copy(matrix, matrix.rowBytes, texel, operand);
    }
    return staged;
  }

  /** Forgets the copies of what a launch may write to. */
  written(kernel: Kernel, bindings: Readonly<Record<string, Resource>>): void {
    for (const staged of this.#staged.values()) {
      if (!staged.source) continue;
      for (const name of kernel.written ?? []) {
        const target = bindings[name];
        if (target && "storage" in target && target.storage === staged.source?.storage) {
          staged.source = undefined;
        }
      }
    }
  }

  /** Forgets which matrices the textures hold copies of: anything may have been written. */
  forget(): void {
    for (const staged of this.#staged.values()) staged.source = undefined;
  }

  /** Destroys all textures; see {@link Device.trim}. */
  trim(): void {
    this.#staged.forEach(({ texture, bytes }) => this.#memory.destroyTexture(texture, bytes));
    this.#staged.clear();
  }

  #copy(
    matrix: Binding,
    rowBytes: number,
    texel: keyof typeof texels,
    operand: number,
  ): TextureBinding {
    const { storage, offset, size } = matrix;
    const [width, rows] = [rowBytes / texels[texel].bytes, size / rowBytes];
    const key = `${operand} ${texel} ${width}`;
    let staged = this.#staged.get(key);
    if (!staged || staged.rows < rows) {
      if (staged) this.#drop(staged);
      this.#staged.set(key, staged = this.#create(width, rows, texel));
    }
    const { texture, binding, source } = staged;
    if (source?.storage === storage && source.offset === offset && source.size === size) {
      return binding;
    }
    staged.source = matrix;
    this.#launcher.stage((encoder) =>
      encoder.copyBufferToTexture(
        { buffer: storage.buffer, offset, bytesPerRow: rowBytes },
        { texture },
        [width, rows],
      )
    );
    return binding;
  }

  #create(columns: number, wanted: number, texel: keyof typeof texels): Staged {
    const rows = Math.min(bucketSize(wanted, 16), this.#gpu.limits.maxTextureDimension2D);
    const width = oddLines(columns);
    const { format, bytes: texelBytes } = texels[texel];
    const bytes = width * rows * texelBytes;
    const texture = this.#memory.createTexture({
      size: [width, rows],
      format,
      usage: textureUsage,
    }, bytes);
    const binding = { texture: texture.createView(), id: this.#launcher.newId() };
    return { texture, binding, rows, bytes };
  }

  /** Destroys a texture that became too small, and what launches were kept that read it. */
  #drop({ texture, bytes }: Staged): void {
    this.#launcher.submit(); // what reads it
    this.#launcher.cannotRepeat();
    this.#launcher.forget();
    this.#memory.destroyTexture(texture, bytes);
  }
}
