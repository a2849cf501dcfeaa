/**
 * Copies of matrices in textures, for adapters on which a texture is read faster than a buffer: see
 * kernels/matmul_interface.wgsl. A copy is made right before the kernel that reads it; one texture per width and
 * operand serves them all, since commands run in order. It is as high as the highest matrix so far, so that
 * batches of many sizes take no more memory than the largest.
 */
import type { TextureBinding } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import { bucketSize } from "./memory.ts";
import { bytesPerValue } from "./pack.ts";
import type { Tensor } from "./tensor.ts";

const textureUsage = 0x04 | 0x02; // TEXTURE_BINDING | COPY_DST
/** WebGPU's rule for the rows of a copy from a buffer. */
const rowAlignment = 256;

/** What keeps the matrices apart that one launch reads. */
export type Operand = "a" | "b" | "c";

/**
 * A texture's width from which its rows spread over the cache: at least as wide, in an odd number of groups of
 * four texels, which are a cache line. Rows of 3,072 bytes would share 4 of 64 sets of a first-level cache.
 */
function oddLines(width: number): number {
  const lines = Math.ceil(width / 4);
  return 4 * (lines + 1 - lines % 2);
}

interface Staged {
  texture: GPUTexture;
  binding: TextureBinding;
  rows: number;
  bytes: number;
}

export class Staging {
  readonly #device: Device;
  readonly #staged = new Map<string, Staged>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Whether a matrix [rows, columns] can be copied into a texture. */
  fits({ rows, columns, dtype }: Tensor): boolean {
    const bytesPerRow = columns * bytesPerValue[dtype];
    return bytesPerRow % rowAlignment === 0 && Math.max(oddLines(columns / 4), rows) <= this.#limit;
  }

  /** Copies a matrix, four values a texel; `operand` keeps those of one launch apart. */
  copy(matrix: Tensor, operand: Operand): TextureBinding {
    const { rows, columns, storage, offset, dtype } = matrix;
    const key = `${operand} ${dtype} ${columns}`;
    let staged = this.#staged.get(key);
    if (!staged || staged.rows < rows) {
      if (staged) this.#drop(staged);
      this.#staged.set(key, staged = this.#create(matrix));
    }
    const { texture, binding } = staged;
    this.#device.launcher.record((encoder) =>
      encoder.copyBufferToTexture(
        { buffer: storage.buffer, offset, bytesPerRow: columns * bytesPerValue[dtype] },
        { texture },
        [columns / 4, rows],
      )
    );
    return binding;
  }

  /** Destroys all textures; see {@link Device.trim}. */
  trim(): void {
    const { memory } = this.#device;
    this.#staged.forEach(({ texture, bytes }) => memory.destroyTexture(texture, bytes));
    this.#staged.clear();
  }

  get #limit(): number {
    return this.#device.gpu.limits.maxTextureDimension2D;
  }

  #create({ rows: wanted, columns, dtype }: Tensor): Staged {
    const { memory, launcher } = this.#device;
    const rows = Math.min(bucketSize(wanted, 16), this.#limit);
    const width = oddLines(columns / 4);
    const bytes = width * 4 * bytesPerValue[dtype] * rows;
    const texture = memory.createTexture({
      size: [width, rows],
      format: dtype === "f32" ? "rgba32float" : "rg32uint",
      usage: textureUsage,
    }, bytes);
    return { texture, binding: launcher.bindTexture(texture), rows, bytes };
  }

  /** Destroys a texture that became too small, and what launches were kept that read it. */
  #drop({ texture, bytes }: Staged): void {
    const { memory, launcher } = this.#device;
    launcher.submit(); // what reads it
    launcher.cannotRepeat();
    launcher.forget();
    memory.destroyTexture(texture, bytes);
  }
}
