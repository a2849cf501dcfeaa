/**
 * GPU memory: buffers that live until destroyed (parameters, optimiser state) and the step arena,
 * whose buffers go back to a pool when the step ends. The pool is handed out in the same order every
 * step, so that equal steps get equal buffers and cached bind groups fit again.
 */
import { type DeviceError, type MemoryUse, OutOfMemoryError } from "./errors.ts";

/** A GPU buffer and what the engine knows of it. */
export interface Storage {
  readonly buffer: GPUBuffer;
  /** Unique; part of the bind-group cache's keys. */
  readonly id: number;
  readonly bytes: number;
  /** Whether the arena owns it: it is reused once released, or when the step ends. */
  readonly arena: boolean;
  readonly use: MemoryUse;
  /** Gradients that alias this buffer; the tape releases it with the last. */
  holds: number;
}

/** Sizes are rounded up to 1, 1.25, 1.5 or 1.75 times a power of two, so that few sizes occur. */
export function bucketSize(size: number, least = 256): number {
  const step = Math.max(least, 2 ** Math.floor(Math.log2(Math.max(1, size - 1))) / 4);
  return Math.ceil(size / step) * step;
}

const usage = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

export class Memory {
  #gpu: GPUDevice;
  #onError: (error: DeviceError) => void;
  #free = new Map<number, Storage[]>();
  #used = new Set<Storage>();
  #nextId = 1;
  #held = 0;
  #peak = 0;
  /** What {@link allOrNothing} would give back. */
  #made?: Storage[];
  /** What the GPU has not answered yet, of what was asked of it. */
  #asked = new Set<Promise<void>>();

  constructor(gpu: GPUDevice, onError: (error: DeviceError) => void) {
    this.#gpu = gpu;
    this.#onError = onError;
  }

  /** Bytes of all buffers that exist now, pooled ones included. */
  get heldBytes(): number {
    return this.#held;
  }

  /** The most bytes held at once since the last {@link resetPeak}. */
  get peakBytes(): number {
    return this.#peak;
  }

  resetPeak(): void {
    this.#peak = this.#held;
  }

  /** A zeroed buffer that lives until {@link destroy}. */
  allocate(bytes: number, name = "buffer", use: MemoryUse = "batch"): Storage {
    const storage = this.#create(Math.max(16, Math.ceil(bytes / 16) * 16), false, name, use);
    this.#made?.push(storage);
    return storage;
  }

  /** Runs what allocates, and takes back what it allocated where it throws. */
  allOrNothing<Result>(run: () => Result): Result {
    const outer = this.#made;
    const made: Storage[] = this.#made = [];
    try {
      const result = run();
      outer?.push(...made);
      return result;
    } catch (error) {
      made.forEach((storage) => this.destroy(storage));
      throw error;
    } finally {
      this.#made = outer;
    }
  }

  /** Waits until the GPU has said of all that was allocated whether it has room; {@link Device.check} then knows. */
  async answered(): Promise<void> {
    while (this.#asked.size > 0) await Promise.all(this.#asked);
  }

  /** A texture that lives until {@link destroyTexture}; `bytes` count as held. */
  createTexture(descriptor: GPUTextureDescriptor, bytes: number): GPUTexture {
    const facts = { bytes, held: this.#held, purpose: "texture", use: "batch" } as const;
    const error = new OutOfMemoryError(facts);
    const texture = this.#ask(error, () => this.#gpu.createTexture(descriptor));
    this.#count(bytes);
    return texture;
  }

  destroyTexture(texture: GPUTexture, bytes: number): void {
    this.#held -= bytes;
    texture.destroy();
  }

  /** A buffer of the step arena, with whatever it last held. */
  acquire(bytes: number): Storage {
    const size = bucketSize(bytes);
    const storage = this.#free.get(size)?.pop() ?? this.#create(size, true, "step arena", "batch");
    this.#used.add(storage);
    return storage;
  }

  /** Returns an arena buffer to the pool before the step ends; later launches may write to it. */
  release(storage: Storage): void {
    if (!storage.arena || !this.#used.delete(storage)) return;
    this.#pool(storage.bytes).push(storage);
  }

  /** The arena buffers that are in use; {@link releaseSince} takes it. */
  mark(): ReadonlySet<Storage> {
    return new Set(this.#used);
  }

  /** Releases all arena buffers acquired since a {@link mark}, but one. */
  releaseSince(mark: ReadonlySet<Storage>, except: Storage): void {
    for (const storage of [...this.#used]) {
      if (!mark.has(storage) && storage !== except) this.release(storage);
    }
  }

  /** Ends a step: every arena buffer is free again, in an order that does not depend on the step. */
  endStep(): void {
    for (const storage of this.#used) {
      storage.holds = 0;
      this.#pool(storage.bytes).push(storage);
    }
    this.#used.clear();
    for (const pool of this.#free.values()) pool.sort((a, b) => b.id - a.id);
  }

  /** Destroys the arena's free buffers; see {@link Device.trim}. */
  trim(): void {
    for (const pool of this.#free.values()) pool.forEach((storage) => this.destroy(storage));
    this.#free.clear();
  }

  destroy(storage: Storage): void {
    this.#held -= storage.bytes;
    storage.buffer.destroy();
  }

  #pool(bytes: number): Storage[] {
    const pool = this.#free.get(bytes) ?? [];
    this.#free.set(bytes, pool);
    return pool;
  }

  /** Creates what the GPU may have no room for; its answer comes later. */
  #ask<Made>(error: OutOfMemoryError, create: () => Made): Made {
    this.#gpu.pushErrorScope("out-of-memory");
    const made = create();
    const answer = this.#gpu.popErrorScope()
      .then((found) => void (found && this.#onError(error)), () => {})
      .finally(() => this.#asked.delete(answer));
    this.#asked.add(answer);
    return made;
  }

  #create(bytes: number, arena: boolean, name: string, use: MemoryUse): Storage {
    const limit = this.#gpu.limits.maxBufferSize;
    const facts = { bytes, held: this.#held, purpose: name, use };
    if (bytes > limit) throw new OutOfMemoryError({ ...facts, limit });
    const error = new OutOfMemoryError(facts);
    const buffer = this.#ask(
      error,
      () => this.#gpu.createBuffer({ size: bytes, usage, label: name }),
    );
    this.#count(bytes);
    return { buffer, id: this.#nextId++, bytes, arena, use, holds: 0 };
  }

  #count(bytes: number): void {
    this.#held += bytes;
    this.#peak = Math.max(this.#peak, this.#held);
  }
}
