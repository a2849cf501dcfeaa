/** Measures an adapter's ceilings with kernels of its own: see ceilings.wgsl. */
import type { Device } from "../engine/device.ts";
import { workgroupsFor } from "../engine/elementwise.ts";
import { persistent } from "../engine/tensor.ts";
import { measure, type Timer } from "../engine/timing.ts";
import { expand } from "../kernels/expand.ts";
import type { Kernel } from "../kernels/mod.ts";
import source from "./ceilings.wgsl" with { type: "text" };
import type { Ceilings } from "./roofline.ts";

/** Chains of an invocation and steps a round: no choice is the fastest on every adapter. */
const variants = [[1, 32], [2, 16], [4, 8], [4, 32], [8, 16]];
/** Invocations that keep any GPU busy, or both cores of a small machine. */
const invocations = { software: 4096, hardware: 1 << 20 };
/** Samples of each. */
const samples = 5;
/** Bytes of a copy, source and target together: in a cache, and far beyond it. */
const copyBytes = [4 << 20, 32 << 20, 256 << 20];

/**
 * The highest rates that any sample of any variant reaches. Takes a second or two. `largest` is what the kernels to be
 * compared move, in bytes: no copy is larger than the first that holds it.
 */
export async function measureCeilings(
  device: Device,
  timer: Timer,
  largest: number,
): Promise<Ceilings> {
  const threads = device.info.software ? invocations.software : invocations.hardware;
  const target = persistent(device, [threads, 4]);
  let flopsPerSecond = 0;
  for (const [chains, steps] of variants) {
    const fma = ceilingKernel("multiply_add", { CHAINS: chains, STEPS: steps });
    const flops = threads * steps * chains * 4 * 2;
    const run = (rounds: number) => () =>
      device.launcher.launch(
        fma,
        { y: target.binding },
        { count: rounds, factor: 0.5, term: 0.25 },
        [threads / 64, 1],
      );
    const { fastest: once } = await measure(timer, run(8), { samples: 1 });
    const rounds = Math.max(8, Math.round(8 * 0.01 / once)); // about 10 ms a launch
    const { fastest } = await measure(timer, run(rounds), { samples });
    flopsPerSecond = Math.max(flopsPerSecond, flops * rounds / fastest);
  }
  device.memory.destroy(target.storage);
  const copies: Ceilings["copies"] = [];
  for (const bytes of copyBytes) {
    if (bytes / 2 > device.maxBindingBytes) continue;
    if (copies.some((smaller) => smaller.bytes >= largest)) break;
    copies.push({ bytes, bytesPerSecond: await copyRate(device, timer, bytes) });
  }
  device.launcher.forget();
  return { flopsPerSecond, copies };
}

async function copyRate(device: Device, timer: Timer, bytes: number): Promise<number> {
  const vectors = bytes / 32; // half is read, half is written, 16 bytes each
  const [x, y] = [0, 0].map(() => persistent(device, [vectors, 4]));
  const kernel = ceilingKernel("copy", {});
  const { fastest } = await measure(timer, () =>
    device.launcher.launch(
      kernel,
      { x: x.binding, y: y.binding },
      { count: vectors, factor: 0, term: 0 },
      workgroupsFor(vectors),
    ), { samples });
  for (const { storage } of [x, y]) device.memory.destroy(storage);
  return bytes / fastest;
}

function ceilingKernel(
  entryPoint: "multiply_add" | "copy",
  unrolled: { CHAINS?: number; STEPS?: number },
): Kernel {
  return {
    name: `ceilings.${entryPoint}`,
    source: expand(source, { CHAINS: 1, STEPS: 1, ...unrolled }),
    entryPoint,
    bindings: new Map([["x", 1], ["y", 2]]),
    params: [
      { name: "count", type: "u32" },
      { name: "factor", type: "f32" },
      { name: "term", type: "f32" },
    ],
    constants: {},
  };
}
