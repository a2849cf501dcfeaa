/**
 * What goes wrong on the GPU, as facts: each kind is a class that carries its numbers. What to do about it
 * depends on who uses the engine, and is theirs to say.
 */
import { formatBytes } from "./bytes.ts";

/** What goes wrong on the GPU; an invalid kernel, unless it is of a class below. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/** WebGPU is not there, or has no adapter. */
export class NoAdapterError extends DeviceError {
  override name = "NoAdapterError";

  constructor() {
    super("No WebGPU adapter.");
  }
}

/** The adapter lets a kernel bind fewer storage buffers than the widest kernel has. */
export class AdapterTooSmallError extends DeviceError {
  override name = "AdapterTooSmallError";
  /** As the adapter describes itself. */
  readonly description: string;
  readonly needed: number;
  readonly offered: number;

  constructor(facts: { description: string; needed: number; offered: number }) {
    const { description, needed, offered } = facts;
    super(
      `The adapter "${description}" lets a kernel bind ${offered} buffers; ${needed} are needed.`,
    );
    this.description = description;
    this.needed = needed;
    this.offered = offered;
  }
}

/**
 * What memory holds, by what can be done about its size: weights that stay as they are; what trains, with gradients
 * and the optimiser's state; a batch's tensors.
 */
export type MemoryUse = "frozen" | "trained" | "batch";

/** The GPU has no room for a buffer or a texture, or one buffer may not be that large. */
export class OutOfMemoryError extends DeviceError {
  override name = "OutOfMemoryError";
  /** Asked for. */
  readonly bytes: number;
  /** Of all buffers and textures that were there already. */
  readonly held: number;
  /** What the bytes are for, such as a parameter's name. */
  readonly purpose: string;
  readonly use: MemoryUse;
  /** The bytes that one buffer may have, where that is what was exceeded. */
  readonly limit?: number;

  constructor(
    facts: { bytes: number; held: number; purpose: string; use: MemoryUse; limit?: number },
  ) {
    const { bytes, held, purpose, use, limit } = facts;
    const why = limit === undefined ? "" : `; one buffer may have ${formatBytes(limit)}`;
    super(
      `Out of GPU memory: ${formatBytes(bytes)} asked for the ${purpose}, ` +
        `${formatBytes(held)} held${why}.`,
    );
    this.bytes = bytes;
    this.held = held;
    this.purpose = purpose;
    this.use = use;
    this.limit = limit;
  }
}

/** A kernel is to read or write a tensor of more bytes than the adapter lets it bind. */
export class BindingTooLargeError extends DeviceError {
  override name = "BindingTooLargeError";
  readonly bytes: number;
  /** The most bytes that the adapter binds. */
  readonly limit: number;
  /** File and entry point, e.g. `gelu.forward`. */
  readonly kernel: string;
  /** The tensor's name in the kernel. */
  readonly binding: string;
  /** What its buffer is for, such as a parameter's name. */
  readonly purpose: string;
  readonly use: MemoryUse;

  constructor(
    facts: {
      bytes: number;
      limit: number;
      kernel: string;
      binding: string;
      purpose: string;
      use: MemoryUse;
    },
  ) {
    const { bytes, limit, kernel, binding, purpose, use } = facts;
    super(
      `Kernel ${kernel}: its "${binding}" (of the ${purpose}) has ${formatBytes(bytes)}; this ` +
        `adapter binds ${formatBytes(limit)} at most.`,
    );
    this.bytes = bytes;
    this.limit = limit;
    this.kernel = kernel;
    this.binding = binding;
    this.purpose = purpose;
    this.use = use;
  }
}

/** The GPU is gone: the driver took it away, or {@link Device.destroy} was called. */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
  /** Whether it was destroyed on purpose. */
  readonly destroyed: boolean;

  constructor({ reason, message }: { reason: string; message: string }) {
    const destroyed = reason === "destroyed";
    super(destroyed ? "This device was destroyed." : `The GPU was lost (${message || reason}).`);
    this.destroyed = destroyed;
  }
}
