/** The text by which a kernel unpacks values of 16 bits. */
import { expand } from "./expand.ts";
import unpackSource from "./unpack.wgsl" with { type: "text" };

/** How a tensor's values lie in memory. */
export type Packing = "f32" | "bf16" | "f16";

/** To be prepended to a kernel; empty for values that are not packed. */
export const unpackText = (packing: Packing): string =>
  packing === "f32" ? "" : expand(unpackSource, { BF16: Number(packing === "bf16") });
