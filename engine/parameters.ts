/**
 * A model's parameters on the GPU. Trainable ones lie one after another in flat slabs, with gradients
 * and optimiser state laid out the same, so that zeroing, norm and update are a handful of dispatches
 * over all of them. Frozen ones have a buffer for each stack, packed or not, and nothing else.
 */
import type { Device } from "./device.ts";
import type { Storage } from "./memory.ts";
import { bytesPerValue, type PackedDtype } from "./pack.ts";
import { sizeOf } from "./shape.ts";
import { offsetAlignment, persistent, Tensor } from "./tensor.ts";

export interface ParameterInfo {
  name: string;
  shape: readonly number[];
  /** Whether weight decay applies. */
  decay: boolean;
  trainable: boolean;
  /** A frozen matrix may be kept in 16 bits a value. */
  packed?: PackedDtype;
  /** Parameters of one stack lie one after another in memory, without gaps: see {@link Parameters.stack}. */
  stack?: string;
}

/** Trainable parameters of one kind, flat. */
export interface Slab {
  decay: boolean;
  value: Tensor;
  gradient: Tensor;
}

export class Parameters {
  readonly device: Device;
  readonly slabs: Slab[];
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #owned: Storage[];

  /** Frozen parameters that `shared` holds are its own tensors, and not allocated again; it is to outlive these. */
  constructor(device: Device, infos: readonly ParameterInfo[], shared?: Parameters) {
    const tensors = new Map<string, Tensor>();
    const owned: Storage[] = [];
    const slabs: Slab[] = [];
    for (const decay of [true, false]) {
      const members = infos.filter((info) => info.trainable && info.decay === decay);
      for (const group of groupsBelow(device.maxBindingBytes, stacksOf(members))) {
        const size = group.bytes / 4;
        const value = persistent(device, [size], undefined, "parameters", "trained");
        const gradient = persistent(device, [size], undefined, "gradients", "trained");
        slabs.push({ decay, value, gradient });
        owned.push(value.storage, gradient.storage);
        for (const { info, offset } of group.members) {
          const tensor = new Tensor(device, info.shape, value.storage, offset);
          tensor.requiresGrad = true;
          tensor.gradient = new Tensor(device, info.shape, gradient.storage, offset);
          tensors.set(info.name, tensor);
        }
      }
    }
    for (const { name, trainable, packed = "f32" } of infos) {
      if (trainable && packed !== "f32") throw new Error(`${name} trains: it cannot be ${packed}.`);
    }
    for (const stack of stacksOf(infos.filter(({ trainable }) => !trainable))) {
      const held = shared && shared.#frozenStack(stack);
      if (held) {
        held.forEach((tensor, i) => tensors.set(stack[i].name, tensor));
        continue;
      }
      const [{ name }] = stack;
      const { bytes, members } = layOut(stack);
      const storage = device.memory.allocate(bytes, name, "frozen");
      owned.push(storage);
      for (const { info, offset } of members) {
        tensors.set(info.name, new Tensor(device, info.shape, storage, offset, info.packed));
      }
    }
    this.device = device;
    this.slabs = slabs;
    this.#tensors = tensors;
    this.#owned = owned;
  }

  /**
   * A parameter by name. One of a stack, and its gradient, can be read and written, but bound only where it
   * happens to start where a binding may. Throws where there is none.
   */
  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`The model has no parameter "${name}".`);
    return tensor;
  }

  /** Whether a parameter lies in memory of these, and not of those that they share. */
  owns(name: string): boolean {
    return this.#owned.includes(this.get(name).storage);
  }

  /**
   * Parameters of equal shape that lie one after another, all of a stack or some of it, as one tensor [count,
   * ...shape] that kernels read and add gradients to. Throws where they do not.
   */
  stack(names: readonly string[]): Tensor {
    const members = names.map((name) => this.get(name));
    const [{ device, shape, storage, offset, size, dtype, gradient }] = members;
    const step = size * bytesPerValue[dtype];
    members.forEach((member, i) => {
      if (
        member.storage !== storage || member.offset !== offset + i * step ||
        member.dtype !== dtype ||
        member.shape.join() !== shape.join()
      ) {
        throw new Error(
          `${names[i]} [${
            member.shape.join(", ")
          }] does not lie right after what comes before it in ` +
            `${names.join(", ")}: give them one \`stack\`, equal shapes and this order.`,
        );
      }
    });
    const whole = new Tensor(device, [names.length, ...shape], storage, offset, dtype);
    if (gradient) {
      whole.requiresGrad = true;
      whole.gradient = new Tensor(device, whole.shape, gradient.storage, gradient.offset);
    }
    return whole;
  }

  /** Sets all gradients to zero; kernels only ever add to them. */
  zeroGradients(): void {
    this.device.launcher.record((encoder) => {
      for (const { gradient } of this.slabs) encoder.clearBuffer(gradient.storage.buffer);
    });
  }

  /** Copies the trainable values into `copy`, made on the first call. */
  snapshot(copy?: Tensor[]): Tensor[] {
    copy ??= this.slabs.map(({ value }) =>
      persistent(this.device, value.shape, undefined, "best epoch's parameters", "trained")
    );
    this.#copy(this.slabs.map(({ value }) => value), copy);
    return copy;
  }

  /**
   * Where each trainable parameter lies: its slab's number and its first value there. What is laid out as the
   * slabs are, such as an optimiser's state, is told by names so: how parameters are cut into slabs depends on the device.
   */
  *places(): Generator<{ name: string; slab: number; first: number; size: number }> {
    for (const [name, { size, storage, offset, requiresGrad }] of this.#tensors) {
      const slab = this.slabs.findIndex(({ value }) => value.storage === storage);
      if (requiresGrad) yield { name, slab, first: offset / 4, size };
    }
  }

  /** Copies a snapshot back. */
  restore(copy: Tensor[]): void {
    this.#copy(copy, this.slabs.map(({ value }) => value));
  }

  /** Frees all parameters and gradients. */
  destroy(): void {
    this.#owned.forEach((storage) => this.device.memory.destroy(storage));
    this.device.launcher.forget();
  }

  /** The tensors of a frozen stack, where these are frozen too, lie as it wants them and start where a binding may. */
  #frozenStack(stack: readonly ParameterInfo[]): Tensor[] | undefined {
    const found = stack.flatMap(({ name }) => this.#tensors.get(name) ?? []);
    if (found.length < stack.length || found[0].offset % offsetAlignment !== 0) return undefined;
    const { storage } = found[0];
    let { offset } = found[0];
    const fits = found.every((tensor, i) => {
      const { shape, packed = "f32" } = stack[i];
      const lies = !tensor.requiresGrad && tensor.storage === storage && tensor.offset === offset;
      offset += tensor.size * bytesPerValue[tensor.dtype];
      return lies && tensor.dtype === packed && tensor.shape.join() === shape.join();
    });
    return fits ? found : undefined;
  }

  #copy(from: Tensor[], to: Tensor[]): void {
    this.device.launcher.record((encoder) =>
      from.forEach((source, index) =>
        encoder.copyBufferToBuffer(
          source.storage.buffer,
          0,
          to[index].storage.buffer,
          0,
          source.size * 4,
        )
      )
    );
  }
}

/** The members of each stack, in their order; a parameter that is in none is a stack of its own. */
function stacksOf(infos: readonly ParameterInfo[]): ParameterInfo[][] {
  return [...Map.groupBy(infos, ({ name, stack }) => stack ?? name).values()];
}

interface Group {
  bytes: number;
  members: { info: ParameterInfo; offset: number }[];
}

/** Places a stack's parameters one after another without gaps; its end is where a binding may start. */
function layOut(stack: readonly ParameterInfo[], start = 0): Group {
  let bytes = start;
  const members = stack.map((info) => {
    const offset = bytes;
    bytes += sizeOf(info.shape) * bytesPerValue[info.packed ?? "f32"];
    return { info, offset };
  });
  return { bytes: Math.ceil(bytes / offsetAlignment) * offsetAlignment, members };
}

/** Cuts parameters into groups below a number of bytes; a larger stack gets a group of its own. */
function groupsBelow(limit: number, stacks: readonly ParameterInfo[][]): Group[] {
  const groups: Group[] = [];
  for (const stack of stacks) {
    const last = groups.at(-1);
    const appended = last && layOut(stack, last.bytes);
    if (appended && appended.bytes <= limit) {
      last.bytes = appended.bytes;
      last.members.push(...appended.members);
    } else groups.push(layOut(stack));
  }
  return groups;
}
