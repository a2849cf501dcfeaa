/**
 * A model's parameters on the GPU. Trainable ones lie one after another in flat slabs, with gradients
 * and optimiser state laid out the same, so that zeroing, norm and update are a handful of dispatches
 * over all of them. Frozen ones have a buffer each, packed or not, and nothing else.
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

  constructor(device: Device, infos: readonly ParameterInfo[]) {
    const tensors = new Map<string, Tensor>();
    const owned: Storage[] = [];
    const slabs: Slab[] = [];
    for (const decay of [true, false]) {
      const members = infos.filter((info) => info.trainable && info.decay === decay);
      for (const group of groupsBelow(device.maxBindingBytes, members)) {
        const size = group.bytes / 4;
        const value = persistent(device, [size], undefined, "parameters");
        const gradient = persistent(device, [size], undefined, "gradients");
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
    for (const { name, shape, trainable, packed: dtype = "f32" } of infos) {
      if (trainable && dtype !== "f32") throw new Error(`${name} trains: it cannot be ${dtype}.`);
      if (trainable) continue;
      const size = sizeOf(shape);
      const storage = device.memory.allocate(size * bytesPerValue[dtype], name);
      tensors.set(name, new Tensor(device, shape, storage, 0, dtype));
      owned.push(storage);
    }
    this.device = device;
    this.slabs = slabs;
    this.#tensors = tensors;
    this.#owned = owned;
  }

  /** A parameter by name. Throws where there is none. */
  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`The model has no parameter "${name}".`);
    return tensor;
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
      persistent(this.device, value.shape, undefined, "best epoch's parameters")
    );
    this.#copy(this.slabs.map(({ value }) => value), copy);
    return copy;
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

interface Group {
  bytes: number;
  members: { info: ParameterInfo; offset: number }[];
}

/** Cuts parameters into groups below a number of bytes; a larger one gets a group of its own. */
function groupsBelow(limit: number, infos: readonly ParameterInfo[]): Group[] {
  const groups: Group[] = [];
  for (const info of infos) {
    const size = sizeOf(info.shape);
    const bytes = Math.ceil(size * 4 / offsetAlignment) * offsetAlignment;
    let group = groups.at(-1);
    if (!group || group.bytes + bytes > limit) groups.push(group = { bytes: 0, members: [] });
    group.members.push({ info, offset: group.bytes });
    group.bytes += bytes;
  }
  return groups;
}
