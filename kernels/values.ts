/** The text by which a kernel reads and writes values of a dtype. */
import { expand } from "./expand.ts";
import source from "./values.wgsl" with { type: "text" };

/** How a tensor's values lie in memory, and, of f16, in which words a kernel takes them: `native` needs an extension. */
export const formats = ["f32", "bf16", "f16", "native f16"] as const;
export type Format = (typeof formats)[number];

/**
 * `alias NAME` with `loadNAME` and `storeNAME` (none of bf16, which only frozen weights have), to be prepended to a
 * kernel that holds `array<NAME>`.
 */
export function valuesText(format: Format, name = "Vector"): string {
  const text = expand(source.slice(source.indexOf("//: if")), {
    F32: Number(format === "f32"),
    BF16: Number(format === "bf16"),
    F16: Number(format === "f16"),
    NATIVE: Number(format === "native f16"),
  });
  return text.replaceAll("Vector", name);
}
