/**
 * Picks the matmul plans for an adapter by timing them, once for a class of shapes. No plan is best
 * everywhere (llama.cpp: each GPU's best tile gives 59 to 80 % of it on another), and none can be told
 * from an adapter's name.
 */
import { type MatmulPlan, matmulSources, workgroupBytes } from "../kernels/mod.ts";
import type { Device } from "./device.ts";
import { fnv1a } from "./hash.ts";
import { matmul, tiles } from "./matmul.ts";
import { candidatePlans, isNarrow, type Product, shapeClass, type TunedPlans } from "./plans.ts";
import { bytesPerValue, type Dtype } from "./pack.ts";
import { Tensor, zeros } from "./tensor.ts";
import { createTimer, median, type Timer } from "./timing.ts";

export interface TuneOptions {
  /** Plans that are known already: their classes are not timed again. */
  known?: TunedPlans;
  /** Seconds after which nothing new is timed; classes that are left get the adapter's fixed plan. */
  seconds?: number;
  /** Told before a class is timed. */
  report?: (done: number, classes: number) => void;
}

/** Samples of a plan, in turn with the others'. */
const samples = 5;
/** Seconds that a sample should last: waiting for the queue by the wall clock goes in steps of 10 ms. */
const sampleSeconds: Record<Timer["method"], number> = {
  "timestamp-query": 0.002,
  "wall clock": 0.1,
};
const maxRepeats = 100;
/** A plan that takes this many times as long as another at first sight is not timed further. */
const hopeless = 3;

/** Names adapter and kernels: what was tuned for another key says nothing here. */
export function tuningKey({ info, gpu, kernels }: Device): string {
  const limits = [
    gpu.limits.maxComputeWorkgroupStorageSize,
    gpu.limits.maxStorageBufferBindingSize,
    gpu.limits.maxTextureDimension2D,
  ];
  const version = fnv1a(JSON.stringify([matmulSources, candidatePlans(info, kernels.matmul)]));
  return [info.description, info.vendor, info.architecture, ...limits, version.toString(16)].join(
    "|",
  );
}

/**
 * Times the plans that the adapter can take for every class among the products, and returns the fastest of
 * each, with those known before. Waits for the GPU; takes `seconds` and what the last plan takes.
 */
export async function tunePlans(
  device: Device,
  products: readonly Product[],
  { known = {}, seconds = 8, report }: TuneOptions = {},
): Promise<TunedPlans> {
  const classes = classesOf(products.filter((product) => !(shapeClass(product) in known)));
  const plans = candidatePlans(device.info, device.kernels.matmul).filter((plan) =>
    workgroupBytes(plan) <= device.gpu.limits.maxComputeWorkgroupStorageSize
  );
  if (classes.size === 0 || plans.length < 2) return known;
  const timer = await createTimer(device);
  const end = performance.now() + seconds * 1000;
  const tuned: Record<string, MatmulPlan> = { ...known };
  const earlier = device.tunedPlans;
  try {
    let done = 0;
    for (const [name, product] of classes) {
      report?.(done++, classes.size);
      tuned[name] = await fastestPlan(device, timer, name, product, plans, end);
    }
  } finally {
    device.tunedPlans = earlier;
    device.endStep();
    await device.finish(); // Mesa may crash where buffers go that it still reads
    device.trim();
  }
  return tuned;
}

/** The product with the least arithmetic of every class, the classes with the most arithmetic first. */
function classesOf(products: readonly Product[]): Map<string, Product> {
  const work = ({ rows, columns, inner, stack = 1 }: Product) => rows * columns * inner * stack;
  const total = new Map<string, number>();
  const least = new Map<string, Product>();
  for (const product of products) {
    if (isNarrow(product) || !tiles(product.transpose, product)) continue;
    const name = shapeClass(product);
    total.set(name, (total.get(name) ?? 0) + work(product));
    const smaller = least.get(name);
    if (!smaller || work(product) < work(smaller)) least.set(name, product);
  }
  return new Map([...least].sort(([a], [b]) => total.get(b)! - total.get(a)!));
}

/** The plan with the least median time, of those that could be timed; the first where time was up before. */
async function fastestPlan(
  device: Device,
  timer: Timer,
  name: string,
  product: Product,
  plans: readonly MatmulPlan[],
  end: number,
): Promise<MatmulPlan> {
  if (performance.now() > end) return plans[0];
  const run = launcherOf(device, product);
  const times = new Map<MatmulPlan, number[]>();
  const take = async (plan: MatmulPlan, repeats: number) => {
    device.tunedPlans = { [name]: plan };
    return await timer.seconds(run, repeats) / repeats;
  };
  let repeats = 1;
  let least = Infinity;
  for (const plan of plans) {
    if (times.size > 0 && performance.now() > end) break;
    await take(plan, 1); // compiles
    const once = await take(plan, 1);
    if (once > hopeless * least) continue;
    least = Math.min(least, once);
    repeats = Math.max(
      repeats,
      Math.min(maxRepeats, Math.ceil(sampleSeconds[timer.method] / once)),
    );
    times.set(plan, []);
  }
  for (let sample = 0; sample < samples; sample++) {
    for (const [plan, measured] of times) {
      if (sample > 0 && performance.now() > end) break;
      measured.push(await take(plan, repeats));
    }
  }
  const of = (plan: MatmulPlan) => median(times.get(plan)!);
  return [...times.keys()].reduce((best, plan) => of(plan) < of(best) ? plan : best);
}

/** Launches the product as a training step does: with a bias forward, adding to a weight's gradient. */
function launcherOf(device: Device, product: Product): () => void {
  const { transpose, rows, columns, inner, dtype, stack = 1 } = product;
  // Zeros: what an arena's buffer happens to hold may be denormal numbers, which slow a CPU down.
  const shaped = (rows: number, columns: number, type: Dtype = "f32") => {
    const { storage } = zeros(device, [Math.ceil(rows * columns * bytesPerValue[type] / 4)]);
    return new Tensor(device, [rows, columns], storage, 0, type);
  };
  const sizes = {
    NT: [[rows, inner], [stack * columns, inner], [stack * rows, columns]],
    NN: [[stack * rows, inner], [stack * inner, columns], [rows, columns]],
    TN: [[stack * inner, rows], [inner, columns], [stack * rows, columns]],
  }[transpose];
  const [a, b, c] = sizes.map(([m, n], i) => shaped(m, n, i === 1 ? dtype : "f32"));
  const bias = transpose === "NT" ? shaped(1, stack * columns) : undefined;
  return () => matmul(transpose, a, b, c, { bias, stack, accumulate: transpose === "TN" });
}
