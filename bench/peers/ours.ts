/** This project's own kernels in the comparison. */
import type { DeviceInfo } from "../../engine/adapter.ts";
import { createDevice, type Device } from "../../engine/device.ts";
import { matmul } from "../../engine/matmul.ts";
import { layerNorm, softmax } from "../../engine/ops/mod.ts";
import { noGrad } from "../../engine/tape.ts";
import { bytesPerValue, pack, type PackedDtype } from "../../engine/pack.ts";
import { persistent, Tensor } from "../../engine/tensor.ts";
import { layerNormEps, type Library, type Operation } from "./library.ts";

export async function openOurs(): Promise<Library & { info: DeviceInfo }> {
  const device = await createDevice();
  return {
    name: "ours",
    info: device.info,
    prepare(operation, operands) {
      const packed = operation.kind === "matmul" ? operation.packed : undefined;
      const tensors = operands.map(({ shape, data }, i) =>
        packed && i === 1
          ? packedTensor(device, shape, data, packed)
          : persistent(device, shape, data)
      );
      const products = operation.kind === "matmul"
        ? [persistent(device, [operation.rows, operation.columns])]
        : [];
      const apply = () => noGrad(() => forward(operation, tensors, products[0]));
      return Promise.resolve({
        async run(times) {
          for (let i = 0; i < times; i++) {
            apply();
            device.memory.endStep(); // what a run allocates serves the next
          }
          await device.finish();
        },
        async result() {
          const values = await apply().read();
          device.endStep();
          return values;
        },
        dispose() {
          device.endStep();
          for (const { storage } of [...tensors, ...products]) device.memory.destroy(storage);
          device.launcher.forget();
        },
      });
    },
    close: () => device.destroy(),
  };
}

function packedTensor(
  device: Device,
  shape: readonly number[],
  data: Float32Array,
  dtype: PackedDtype,
): Tensor {
  const storage = device.memory.allocate(data.length * bytesPerValue[dtype]);
  device.write(storage, 0, pack(data, dtype));
  return new Tensor(device, shape, storage, 0, dtype);
}

function forward(operation: Operation, [a, b, c]: Tensor[], product: Tensor): Tensor {
  if (operation.kind === "softmax") return softmax(a);
  if (operation.kind === "layerNorm") return layerNorm(a, b, c, layerNormEps);
  matmul(operation.transpose, a, b, product);
  return product;
}
