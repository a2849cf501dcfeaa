/**
 * Copies of matrices in textures, for adapters on which a texture is read faster than a buffer: see
 * kernels/matmul_interface.wgsl. A copy is made right before the product that reads it; one texture per size and
 * operand serves them all, since commands run in order.
 */
import type { Device } from "./device.ts";
import type { TextureBinding } from "./launcher.ts";
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

export class Staging {
  readonly #device: Device;
  readonly #textures = new Map<string, { texture: GPUTexture; binding: TextureBinding }>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Whether a matrix [rows, columns] can be copied into a texture. */
  fits({ rows, columns, dtype }: Tensor): boolean {
    const limit = this.#device.gpu.limits.maxTextureDimension2D;
    const bytesPerRow = columns * bytesPerValue[dtype];
    return bytesPerRow % rowAlignment === 0 && columns / 4 <= limit && rows <= limit;
  }

  /** Copies a matrix, four values a texel; `operand` keeps those of one launch apart. */
  copy(matrix: Tensor, operand: Operand): TextureBinding {
    const { rows, columns, storage, offset, dtype } = matrix;
    const size: [number, number] = [columns / 4, rows];
    const bytesPerRow = columns * bytesPerValue[dtype];
    const format = dtype === "f32" ? "rgba32float" : "rg32uint";
    const key = `${operand} ${format} ${size}`;
    let staged = this.#textures.get(key);
    if (!staged) {
      const texture = this.#device.memory.createTexture(
        { size: [oddLines(columns / 4), rows], format, usage: textureUsage },
        bytesPerRow * rows,
      );
      staged = { texture, binding: this.#device.launcher.bindTexture(texture) };
      this.#textures.set(key, staged);
    }
    const { texture, binding } = staged;
    this.#device.launcher.record((encoder) =>
      encoder.copyBufferToTexture(
        { buffer: storage.buffer, offset, bytesPerRow },
        { texture },
        size,
      )
    );
    return binding;
  }
}
