/** The formulas that the page takes apart, in the order in which it has them. */
import { adamwFormula } from "./adamw.ts";
import { adapterFormula } from "./adapter.ts";
import { crossEntropyFormula } from "./cross_entropy.ts";
import type { Formula } from "./formula.ts";
import { loraBackward, loraForward } from "./lora.ts";
export { excerptsOf, type Formula, type Part, partsOf } from "./formula.ts";

export const formulas: readonly Formula[] = [
  loraForward,
  loraBackward,
  adapterFormula,
  crossEntropyFormula,
  adamwFormula,
];
