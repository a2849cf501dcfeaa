/** The roofline (Williams et al. 2009): the least time that an adapter's measured ceilings allow a kernel. */

export interface Ceilings {
  /** Multiply-adds count as two. */
  flopsPerSecond: number;
  /** Bytes read and written a second by a copy, for copies of several sizes, ascending. */
  copies: { bytes: number; bytesPerSecond: number }[];
}

/** What a kernel must do at least: every value read once and written once. */
export interface Cost {
  flops: number;
  bytes: number;
}

export interface Standing {
  gflops: number;
  gbps: number;
  /** What the ceilings allow: 100 is a kernel at its limit. */
  percent: number;
  /** Which ceiling is the lower one for this kernel. */
  limit: "arithmetic" | "memory";
}

/** Bandwidth for a kernel that moves so many bytes: small ones stay in caches, as small copies do. */
export function bandwidthFor({ copies }: Ceilings, bytes: number): number {
  const fitting = copies.find((copy) => copy.bytes >= bytes) ?? copies.at(-1);
  if (!fitting) throw new Error("The ceilings hold no copy.");
  return fitting.bytesPerSecond;
}

/** How near a kernel of a cost and a time in seconds comes to the ceilings. */
export function standing(ceilings: Ceilings, { flops, bytes }: Cost, seconds: number): Standing {
  const arithmetic = flops / ceilings.flopsPerSecond;
  const memory = bytes / bandwidthFor(ceilings, bytes);
  return {
    gflops: flops / seconds / 1e9,
    gbps: bytes / seconds / 1e9,
    percent: 100 * Math.max(arithmetic, memory) / seconds,
    limit: arithmetic > memory ? "arithmetic" : "memory",
  };
}
