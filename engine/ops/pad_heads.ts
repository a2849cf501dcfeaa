import { padHeads as kernels } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";

/**
 * Heads of another size: x [.., heads · from] to [.., heads · to], with zeros after each head's values, or cut.
 * Attention of heads that are padded with zeros is the same, but for the scale, which goes by their true size. f16
 * goes through f32: values of a word may belong to two heads.
 */
export function padHeads(x: Tensor, from: number, to: number): Tensor {
  if (x.dtype !== "f32") {
    const y = padHeads(convert(x, "f32"), from, to);
    return convert(y, "f16");
  }
  const resize = (input: Tensor, sizeX: number, sizeY: number) => {
    const columns = input.columns / sizeX * sizeY;
    const output = empty(input.device, [...input.shape.slice(0, -1), columns]);
    const { size: count } = output;
    const bindings = { x: input.binding, y: output.binding };
    input.device.launcher.launch(
      kernels.main,
      bindings,
      { count, sizeX, sizeY },
      workgroupsFor(count),
    );
    return output;
  };
  return record([x], resize(x, from, to), (dy) => [resize(dy, to, from)]);
}
