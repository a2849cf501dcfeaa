import { bytesPerValue } from "../pack.ts";
import { record } from "../tape.ts";
import { empty, part, type Tensor } from "../tensor.ts";

/**
 * Tensors [rows, columns] of one shape and dtype as one [count, rows, columns], into which they are copied; each gets its part
 * of the gradient. Throws where the shapes differ, and where a part would not start where a binding may.
 */
export function join(parts: readonly Tensor[]): Tensor {
  const [{ device, shape, dtype }] = parts;
  const other = parts.find((each) => each.shape.join() !== shape.join());
  if (other) {
    throw new Error(`Cannot join [${other.shape.join(", ")}] to [${shape.join(", ")}].`);
  }
  const y = empty(device, [parts.length, ...shape], dtype);
  const targets = parts.map((_, i) => part(y, i));
  device.launcher.record((encoder) =>
    parts.forEach(({ storage, offset, size }, i) =>
      encoder.copyBufferToBuffer(
        storage.buffer,
        offset,
        targets[i].storage.buffer,
        targets[i].offset,
        size * bytesPerValue[dtype],
      )
    )
  );
  return record(parts, y, (dy) => parts.map((_, i) => part(dy, i)));
}
