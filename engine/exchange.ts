/** Values that go through the host and back, changed: what several machines sum, such as gradients. */
import type { Device } from "./device.ts";
import type { Tensor } from "./tensor.ts";

export class Exchange {
  readonly #device: Device;
  readonly #tensors: readonly Tensor[];
  /** One a tensor, for as long as the exchange is needed: making a large one takes longer than a copy. */
  readonly #staging: readonly GPUBuffer[];

  /** Of f32 tensors that stay where they are. */
  constructor(device: Device, tensors: readonly Tensor[]) {
    this.#device = device;
    this.#tensors = tensors;
    this.#staging = tensors.map(({ size }) =>
      device.gpu.createBuffer({ size: size * 4, usage: 0x01 | 0x08 }) // MAP_READ | COPY_DST
    );
  }

  /** Has the host change the values of each tensor in turn. Waits for all that was recorded before. */
  async run(change: (values: Float32Array) => void | Promise<void>): Promise<void> {
    const device = this.#device;
    device.launcher.record((encoder) =>
      this.#tensors.forEach(({ storage, offset, size }, index) =>
        encoder.copyBufferToBuffer(storage.buffer, offset, this.#staging[index], 0, size * 4)
      )
    );
    device.launcher.submit();
    await Promise.all(this.#staging.map((buffer) => buffer.mapAsync(1)));
    device.check();
    for (const [index, { storage, offset }] of this.#tensors.entries()) {
      const values = new Float32Array(this.#staging[index].getMappedRange());
      await change(values); // in the mapped memory itself
      device.write(storage, offset, values);
      this.#staging[index].unmap();
    }
  }

  destroy(): void {
    this.#staging.forEach((buffer) => buffer.destroy());
  }
}
