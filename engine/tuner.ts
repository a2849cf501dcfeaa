/**
 * Picks the matmul plans for an adapter by timing them, once for a class of shapes. No plan is best
 * everywhere (llama.cpp: each GPU's best tile gives 59 to 80 % of it on another), and none can be told
 * from an adapter's name.
 */
import { type MatmulPlan, matmulSources, workgroupBytes } from "../kernels/mod.ts";
import type { Device } from "./device.ts";
import { fnv1a } from "./hash.ts";
import { matmul, tiles } from "./matmul.ts";
import {
  candidatePlans,
  isNarrow,
  plansAmong,
  type Product,
  type RefusedPlan,
  samePlan,
  shapeClass,
  type TunedPlans,
} from "./plans.ts";
import { bytesPerValue, type Dtype } from "./pack.ts";
import { Tensor, zeros } from "./tensor.ts";
import { createTimer, median, type Timer } from "./timing.ts";

export interface TuneOptions {
  /** Plans that are known already: their classes are not timed again, unless they are none of the candidates. */
  known?: TunedPlans;
  /** Plans that the adapter is known to refuse: they are not tried again. */
  refused?: readonly RefusedPlan[];
  /** Seconds after which no further class is begun. */
  seconds?: number;
  /** The plans to choose from; those worth timing on the adapter unless given. */
  candidates?: readonly MatmulPlan[];
  /** Told before a class is timed. */
  report?: (done: number, classes: number) => void;
}

/** What is known of an adapter's plans. */
export interface Tuned {
  /** The fastest plans: those that were known and are candidates, and those of the classes that were timed. */
  plans: TunedPlans;
  /** The plans that the adapter refuses: those that were known, and those that were found. */
  refused: readonly RefusedPlan[];
  /** Classes that there was no time for. A device takes its fixed plan for them; the next tuning times them. */
  left: readonly string[];
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
/** Seconds to which browsers round a timestamp: a single run may seem to take none. */
const coarsest = 1e-4;

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
 * Times the plans that the adapter can take for every class among the products that is not known. A plan that
 * the driver refuses is left out, for every class that follows too. Waits for the GPU; takes `seconds` and what
 * the last class takes, so that every call gets further. Throws where memory runs out or the device is lost.
 */
export async function tunePlans(
  device: Device,
  products: readonly Product[],
  options: TuneOptions = {},
): Promise<Tuned> {
  const { seconds = 8, report } = options;
  const fixed = device.kernels.matmul;
  const { candidates = candidatePlans(device.info, fixed) } = options;
  const refused = (options.refused ?? []).filter(({ plan }) =>
    candidates.some((each) => samePlan(each, plan))
  );
  const possible = () =>
    candidates.filter((plan) =>
      workgroupBytes(plan) <= device.gpu.limits.maxComputeWorkgroupStorageSize &&
      !refused.some((each) => samePlan(each.plan, plan))
    );
  const known = plansAmong(possible(), options.known ?? {});
  const classes = classesOf(products.filter((product) => !(shapeClass(product) in known)));
  const plans: Record<string, MatmulPlan> = { ...known };
  const left: string[] = [];
  const isChoice = possible().some((plan) => !samePlan(plan, fixed));
  if (classes.size === 0 || !isChoice) return { plans, refused, left };
  const timer = await createTimer(device);
  const end = performance.now() + seconds * 1000;
  const earlier = device.tunedPlans;
  try {
    let done = 0;
    for (const [name, product] of classes) {
      if (performance.now() >= end) { // a browser's clock may stand still for a while
        left.push(name);
        continue;
      }
      report?.(done++, classes.size);
      const trial = { device, timer, name, run: launcherOf(device, product), end };
      const fastest = await fastestPlan(trial, possible(), refused);
      if (fastest) plans[name] = fastest;
    }
    device.tunedPlans = earlier;
    device.endStep();
    await device.finish(); // Mesa may crash where buffers go that it still reads
    device.trim();
  } finally {
    device.tunedPlans = earlier;
    timer.destroy();
  }
  return { plans, refused, left };
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

/** A class that is being timed. */
interface Trial {
  device: Device;
  timer: Timer;
  /** The class. */
  name: string;
  /** Launches its product. */
  run: () => void;
  /** When to come to an end, as `performance.now()` counts. */
  end: number;
}

/**
 * The plan with the least median time; undefined where the driver takes none, which are added to `refused`.
 * Every plan is timed once or more, however little time there is: half of them would not be a choice.
 */
async function fastestPlan(
  { device, timer, name, run, end }: Trial,
  plans: readonly MatmulPlan[],
  refused: RefusedPlan[],
): Promise<MatmulPlan | undefined> {
  const times = new Map<MatmulPlan, number[]>();
  const take = async (plan: MatmulPlan, repeats: number) => {
    device.tunedPlans = { [name]: plan };
    return await timer.seconds(run, repeats) / repeats;
  };
  let repeats = 1;
  let least = Infinity;
  for (const plan of plans) {
    let once = Infinity;
    const error = await device.attempt(async () => {
      await take(plan, 1); // compiles
      once = await take(plan, 1);
    });
    if (error) refused.push({ plan, reason: error.message });
    if (error || once > hopeless * Math.max(least, coarsest)) continue;
    least = Math.min(least, once);
    repeats = Math.max(
      repeats,
      Math.min(maxRepeats, Math.ceil(sampleSeconds[timer.method] / once)),
    );
    times.set(plan, []);
  }
  for (let sample = 0; sample < samples; sample++) {
    for (const [plan, measured] of times) {
      if (sample > 0 && performance.now() >= end) break;
      measured.push(await take(plan, repeats));
    }
  }
  if (times.size === 0) return undefined;
  const of = (plan: MatmulPlan) => median(times.get(plan)!);
  return [...times.keys()].reduce((best, plan) => of(plan) < of(best) ? plan : best);
}

/** Launches the product as a training step does: with a bias forward, adding to a weight's gradient. */
function launcherOf(device: Device, product: Product): () => void {
  const { transpose, rows, columns, inner, dtype, dtypeA = "f32", stack = 1 } = product;
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
  const dtypes = [dtypeA, dtype, transpose === "TN" ? "f32" : dtypeA];
  const [a, b, c] = sizes.map(([m, n], i) => shaped(m, n, dtypes[i]));
  const bias = transpose === "NT" ? shaped(1, stack * columns) : undefined;
  return () => matmul(transpose, a, b, c, { bias, stack, accumulate: transpose === "TN" });
}
