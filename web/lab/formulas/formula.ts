/** A formula, and the parts of it that can be pointed at. */
import { type Excerpt, excerptOf, type Place } from "../excerpt.ts";
import { type SourcePath, sources } from "./sources.ts";

export interface Part {
  text: string;
  /** What it is, in a sentence. */
  what: string;
  /** Where it is computed: what launches it in TypeScript, then its WGSL, where it has some. */
  places: readonly Place<SourcePath>[];
}

export interface Formula {
  name: string;
  /** What is to be known before its parts, in a sentence or two. */
  about: string;
  /** Lines of text and parts. */
  lines: readonly (readonly (string | Part)[])[];
}

/** A place, in the order in which it is looked for. */
export const at = (path: SourcePath, block: string, ...marks: string[]): Place<SourcePath> => ({
  path,
  block,
  marks,
});

export const part = (text: string, what: string, ...places: Place<SourcePath>[]): Part => ({
  text,
  what,
  places,
});

export const partsOf = ({ lines }: Formula): Part[] =>
  lines.flat().filter((token): token is Part => typeof token !== "string");

/** The lines that compute a part. Throws where a source has them no more. */
export const excerptsOf = ({ places }: Part): Excerpt[] =>
  places.map((place) => excerptOf(sources[place.path], place));

/** Products of matrices, as a GPU gets them, in the kernel's three transposes. */
const product = (...marks: string[]) => at("kernels/matmul_workgroup.wgsl", "fn main(", ...marks);
const linear = (...marks: string[]) =>
  at("engine/ops/linear.ts", "export function linear(", ...marks);

/** What formulas have in common: a linear layer, forward and backward. */
export const layer = {
  forward: linear('matmul("NT", x, weight, y'),
  low: linear("lowRank(x, weight, lora)", "second: low"),
  inputGradient: linear('matmul("NN", dy, weight'),
  weightGradient: linear("if (weight.requiresGrad)", 'matmul("TN", dy, x'),
  biasGradient: linear("columnSum(dy"),
  residual: linear("end.residual && dresult"),
  multiply: product("fma(a$i.xxxx, b", "fma(a$i.yyyy, b", "fma(a$i.zzzz, b", "fma(a$i.wwww, b"),
  bias: product("bias["),
  secondProduct: product("for p in 0..PARTS", "let slot = slotOf(z)"),
  epilogue: at("kernels/matmul_interface.wgsl", "fn store(", "residual[at]"),
  columnSum: at("kernels/column_sum.wgsl", "fn main(", "share += ", "total += "),
};
