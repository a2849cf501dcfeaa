/**
 * DoRA (Liu et al. 2024, arXiv:2402.09353) as PEFT computes it (peft/tuners/lora/dora.py): with V = W + s B A,
 * whose row norms ‖V‖ count as constants, and m one trained length a row,
 *
 *     y = x Wᵀ + b + (m/‖V‖ − 1) ⊙ x′Wᵀ + m/‖V‖ ⊙ s (x′ Aᵀ) Bᵀ,   x′ = dropout(x)
 *       = (x − x′) Wᵀ + b + m/‖V‖ ⊙ x′ Vᵀ
 *
 * m starts at ‖W‖, so that the layer starts as it was.
 */
import { applyEnd } from "../../engine/linear_end.ts";
import { add, dropout, linear, loraRowNorms, scaleColumns } from "../../engine/ops/mod.ts";
import type { Scope } from "../nn/scope.ts";
import type { LinearWrap, LoraWrap } from "../nn/wrapping.ts";

/** What becomes of a layer with these LoRA weights; `scope` is theirs. */
export function doraLayer(lora: LoraWrap, scope: Scope, outputs: number): LinearWrap {
  return {
    around(_plain, { weight, bias }) {
      const { a, b } = lora.weights();
      const magnitude = scope.tensor("lora_magnitude_vector", [outputs], {
        init: { kind: "rowNorms", of: weight.spec.name },
        kind: "vector",
      });
      return (x, end = {}) => {
        const probability = scope.dropout(lora.dropout);
        const dropped = dropout(x, probability);
        const weights = {
          weight: weight(),
          lora: { a: a(), b: b(), scale: lora.scale, dropout: 0 },
        };
        const divisor = loraRowNorms(weights.weight, weights.lora);
        const product = linear(dropped, weights);
        const plain = { weight: weight(), bias: bias?.() };
        if (dropped === x) { // nothing is left of (x − x′) Wᵀ
          return applyEnd(scaleColumns(product, magnitude(), { divisor, shift: plain.bias }), end);
        }
        const residual = scaleColumns(product, magnitude(), { divisor });
        return applyEnd(linear(add(x, dropped, -1), plain, { residual }), end);
      };
    },
  };
}
