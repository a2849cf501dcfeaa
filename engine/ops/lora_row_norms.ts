import { loraRowNorms as kernelOf } from "../../kernels/mod.ts";
import { oneWorkgroupARow } from "../elementwise.ts";
import { empty, formatOf, type Tensor } from "../tensor.ts";
import { checkLora, type Lora } from "./lora_weights.ts";

/**
 * ‖W + s·BA‖ of each row of W [out, in], which may be packed: [out]. DoRA (Liu et al. 2024, arXiv:2402.09353) divides by
 * it and takes it for a constant in the backward pass (section 4.3): no gradient goes through it.
 */
export function loraRowNorms(
  weight: Tensor,
  { a, b, scale }: Pick<Lora, "a" | "b" | "scale">,
): Tensor {
  const { device, rows, columns } = weight;
  checkLora(weight, { a, b });
  const norms = empty(device, [rows]);
  device.launcher.launch(
    kernelOf(formatOf(weight)),
    { weight: weight.binding, loraA: a.binding, loraB: b.binding, norms: norms.binding },
    { rows, columns: columns / 4, rank: b.columns, scale },
    oneWorkgroupARow(rows),
  );
  return norms;
}
