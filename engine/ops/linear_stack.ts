import { columnSum } from "../column_sum.ts";
import { checkLora, type LoraWeights, lowRank } from "../low_rank.ts";
import { matmul, tiles } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, part, type Tensor } from "../tensor.ts";

/** Linear layers of one input and of equal shape, such as attention's query, key and value. */
export interface LinearStack {
  /** W [out, in], b [out], and LoRA's weights where the layer has them, all of one rank and one scale. */
  layers: readonly { weight: Tensor; bias: Tensor; lora?: LoraWeights }[];
  /**
   * The same as tensors [layers, out, in] and [layers, out], and A [layers with LoRA, rank, in] and B
   * [layers with LoRA, out, rank], where they lie one after another: then one launch computes all.
   */
  joined?: { weight: Tensor; bias: Tensor; loraA?: Tensor; loraB?: Tensor };
}

/**
 * y_z = x W_zᵀ + b_z (+ LoRA's part, as loraLinear): x [rows, in], y [layers, rows, out]; rows · out and
 * rows · rank multiples of 64, as those of a packed batch.
 *
 * Backward: dx = Σ_z dy_z W_z in one product, dW_z += dy_zᵀ x, db_z += Σ_rows dy_z, and LoRA's.
 */
export function linearStack(x: Tensor, { layers, joined }: LinearStack): Tensor {
  const { device, rows, columns: inner } = x;
  const [{ weight: { rows: outputs } }] = layers;
  const adapted = layers.flatMap(({ weight, lora }, z) => lora ? [{ weight, lora, z }] : []);
  adapted.forEach(({ weight, lora }) => checkLora(x, weight, lora));
  const rank = adapted[0]?.lora.a.rows ?? 0;
  const slots = layers.map(({ lora }, z) => lora ? adapted.findIndex((each) => each.z === z) : 3);
  const fits = tiles("NT", { rows, columns: outputs, inner }) && rank % 4 === 0;
  const whole = fits && (joined?.loraB || adapted.length === 0) ? joined : undefined;

  const u = adapted.length > 0 ? empty(device, [adapted.length, rows, rank]) : undefined;
  const lowRankBackward = u && lowRank(x, {
    layers: adapted.map(({ lora }) => lora),
    slots: adapted.map(({ z }) => z),
    joined: joined?.loraA && joined.loraB && { a: joined.loraA, b: joined.loraB },
  }, u);
  const y = empty(device, [layers.length, rows, outputs]);
  if (whole) {
    matmul("NT", x, whole.weight, y, {
      bias: whole.bias,
      stack: layers.length,
      ...(u && { second: { a: u, b: whole.loraB!, slots } }),
    });
  } else {
    layers.forEach(({ weight, bias, lora }, z) =>
      matmul("NT", x, weight, part(y, z), {
        bias,
        ...(lora && { second: { a: part(u!, slots[z]), b: lora.b } }),
      })
    );
  }
  const parameters = layers.flatMap(({ weight, bias, lora }) =>
    lora ? [weight, bias, lora.a, lora.b] : [weight, bias]
  );
  return record([x, ...parameters], y, (dy, target) => {
    const stack = layers.length;
    if (whole?.weight.requiresGrad) {
      matmul("TN", dy, x, gradientBuffer(whole.weight), { stack, accumulate: true });
    }
    if (whole?.bias.requiresGrad) columnSum(dy, gradientBuffer(whole.bias), stack);
    const dx = target(0);
    if (dx && whole) matmul("NN", dy, whole.weight, dx.tensor, { ...dx, stack });
    const alone = whole ? [] : layers;
    alone.forEach(({ weight, bias }, z) => {
      const dz = part(dy, z);
      if (weight.requiresGrad) matmul("TN", dz, x, gradientBuffer(weight), { accumulate: true });
      if (bias.requiresGrad) columnSum(dz, gradientBuffer(bias));
      if (dx) matmul("NN", dz, weight, dx.tensor, { accumulate: dx.accumulate || z > 0 });
    });
    lowRankBackward?.(dy, dx?.tensor);
    return [dx?.tensor];
  }, u ? [u] : []);
}
