/** The tuner: which classes it times, what it keeps, and that its plans compute the same. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { OutOfMemoryError } from "../../engine/errors.ts";
import { scale } from "../../engine/ops/mod.ts";
import {
  adapterPlan,
  candidatePlans,
  planFor,
  type Product,
  type RefusedPlan,
  registerPlan,
  samePlan,
  shapeClass,
  type TunedPlans,
  workgroupPlan,
} from "../../engine/plans.ts";
import { upload } from "../../engine/tensor.ts";
import { Stamps } from "../../engine/timing.ts";
import { tunePlans, tuningKey } from "../../engine/tuner.ts";
import { type MatmulPlan, workgroupBytes, workgroupTile } from "../../kernels/mod.ts";
import { leftBy } from "./live.ts";

/** Where the GPU is to report an error, a GPU of its own is needed. */
const create = () => createDevice({ kernels: { matmul: registerPlan(1, 1) } });
const device = await create();

const product = (rows: number, columns: number, inner: number): Product => ({
  transpose: "NN",
  rows,
  columns,
  inner,
  dtype: "f32",
});

Deno.test("shapes of one class have about as many tiles", () => {
  assert.equal(shapeClass(product(64, 64, 8)), "NN f32 small");
  assert.equal(shapeClass(product(384, 768, 8)), "NN f32 medium");
  assert.equal(shapeClass(product(4096, 4096, 8)), "NN f32 large");
  assert.equal(shapeClass({ ...product(384, 256, 8), stack: 8 }), "NN f32 large");
});

Deno.test("a tuned plan serves its class, narrow products and other classes have theirs", () => {
  const fixed = registerPlan(1, 1);
  const tuned = { "NN f32 small": registerPlan(2, 2) };
  assert.equal(planFor(product(64, 64, 8), fixed, tuned), tuned["NN f32 small"]);
  assert.equal(planFor(product(4096, 4096, 8), fixed, tuned), fixed);
  assert.equal(planFor(product(64, 16, 8), fixed, tuned).workgroup[0], 1);
  const tile = planFor(product(64, 16, 8), workgroupPlan(1, 1), tuned);
  assert.deepEqual([tile.kind, workgroupTile(tile)], ["workgroup", { rows: 64, columns: 16 }]);
});

Deno.test("a CPU that plays GPU reads from textures, whatever it is called", async () => {
  for (const [subgroupSize, broadcast] of [[8, true], [4, false], [0, false]] as const) {
    const sizes = { subgroupSize, subgroupMinSize: subgroupSize };
    const plan = adapterPlan({ ...device.info, ...sizes, description: "", software: true });
    assert.ok(plan.kind === "registers" && plan.textures);
    assert.equal(plan.broadcast, broadcast);
  }
  const { kernels, info } = await createDevice();
  assert.equal(kernels.attentionTextures, info.software);
});

Deno.test("a GPU has several kinds of plan to choose from, within WebGPU's limits", () => {
  const gpu = { ...device.info, software: false, subgroupSize: 32, subgroupMinSize: 32 };
  const plans = candidatePlans(gpu, adapterPlan(gpu));
  assert.deepEqual(new Set(plans.map(({ kind }) => kind)), new Set(["registers", "workgroup"]));
  assert.equal(plans[0].kind, "workgroup");
  assert.equal(new Set(plans.map((plan) => JSON.stringify(plan))).size, plans.length);
  for (const plan of plans) {
    const [x, y] = plan.workgroup;
    assert.ok(x * y <= 256, JSON.stringify(plan));
    assert.ok(workgroupBytes(plan) <= 32768, JSON.stringify(plan));
    const { rows, columns } = workgroupTile(plan);
    assert.ok(rows * columns / (x * y) <= 64, `${JSON.stringify(plan)} spills registers`);
  }
});

const twoClasses = [product(64, 64, 32), product(32, 64, 16), product(512, 512, 32)];
/** A plan that no driver takes: a workgroup of 4096 invocations. */
const refusedPlan: MatmulPlan = registerPlan(1, 1, { workgroup: [64, 64] });
const candidates = [device.kernels.matmul, registerPlan(2, 1), refusedPlan];

Deno.test("every class is timed once, and what is known not at all", async () => {
  const timed: string[] = [];
  const report = (done: number, classes: number) => timed.push(`${done} of ${classes}`);
  const { plans, refused, left } = await tunePlans(device, twoClasses, { report });
  assert.deepEqual(timed, ["0 of 2", "1 of 2"]);
  assert.deepEqual(new Set(Object.keys(plans)), new Set(["NN f32 small", "NN f32 medium"]));
  assert.deepEqual([refused, left], [[], []]);
  const kept: TunedPlans = JSON.parse(JSON.stringify(plans));
  const again = await tunePlans(device, twoClasses, { known: kept, report });
  assert.equal(timed.length, 2);
  assert.deepEqual(again, { plans, refused, left });
  assert.deepEqual(device.tunedPlans, {}); // it is for the caller to use them
});

Deno.test("what a file says of plans is taken only where the adapter can have it", async () => {
  const [first, second] = candidates;
  const known: TunedPlans = { "NN f32 small": second, "NN f32 medium": registerPlan(0, 1) };
  const odd = registerPlan(1e6, NaN);
  const refused = [{ plan: first, reason: "no" }, { plan: odd, reason: "no" }];
  const tuned = await tunePlans(device, [], { known, refused, candidates });
  assert.deepEqual(tuned.plans, { "NN f32 small": second });
  assert.deepEqual(tuned.refused, [refused[0]]);
  const again = await tunePlans(device, twoClasses, { known, candidates: [first, second] });
  assert.deepEqual(new Set(Object.keys(again.plans)), new Set(Object.keys(known)));
  assert.ok([first, second].some((plan) => samePlan(plan, again.plans["NN f32 medium"])));
  for (const name of ["NN f32 huge", "constructor", ""]) {
    assert.deepEqual(
      (await tunePlans(device, [], { known: { [name]: first }, candidates })).plans,
      {},
    );
  }
});

Deno.test("a class that there was no time for is left, not taken for timed", async () => {
  const none = await tunePlans(device, twoClasses, { seconds: -1 });
  assert.deepEqual(none, { plans: {}, refused: [], left: ["NN f32 medium", "NN f32 small"] });
  const first = await tunePlans(device, twoClasses, { seconds: 0, known: none.plans });
  assert.deepEqual(Object.keys(first.plans), []);
  const second = await tunePlans(device, twoClasses, { known: first.plans });
  assert.deepEqual(Object.keys(second.plans), ["NN f32 medium", "NN f32 small"]);
});

Deno.test("a class that was begun is timed to its end, so that every run gets further", async () => {
  let now = 0;
  const clock = performance.now;
  performance.now = () => now += 1000; // every look at the clock takes a second
  try {
    const { plans, left } = await tunePlans(device, twoClasses, { seconds: 1.5, candidates });
    assert.deepEqual([Object.keys(plans), left], [["NN f32 medium"], ["NN f32 small"]]);
  } finally {
    performance.now = clock;
  }
});

Deno.test("a plan whose first run a coarse clock takes for nothing rules out no other", {
  ignore: !device.gpu.features.has("timestamp-query"),
}, async () => {
  const [slow, fast] = candidates;
  const name = "NN f32 small";
  const { read } = Stamps.prototype;
  let before = device.launcher.dispatches;
  let calibrated = false;
  Stamps.prototype.read = function () {
    if (!calibrated) {
      calibrated = true;
      return read.call(this);
    }
    const launches = device.launcher.dispatches - before;
    before += launches;
    // Of one run browsers tell 0 or 0.1 ms, as it falls.
    const ticks = samePlan(device.tunedPlans[name], slow)
      ? Math.floor(0.9 * launches)
      : Math.ceil(0.6 * launches);
    return Promise.resolve(BigUint64Array.of(0n, BigInt(100_000 * ticks)));
  };
  try {
    const { plans } = await tunePlans(device, [product(64, 64, 32)], { candidates: [slow, fast] });
    assert.deepEqual(plans[name], fast);
  } finally {
    Stamps.prototype.read = read;
  }
});

Deno.test("a plan that the driver refuses is left out with its reason, and not tried again", async () => {
  const device = await create();
  const launched = new Set<string>();
  const { launch } = device.launcher;
  device.launcher.launch = (kernel, ...rest) => {
    launched.add(kernel.source);
    launch.call(device.launcher, kernel, ...rest);
  };
  const { plans, refused, left } = await tunePlans(device, twoClasses, { candidates });
  assert.deepEqual(Object.keys(plans), ["NN f32 medium", "NN f32 small"]);
  assert.ok(Object.values(plans).every((plan) => !samePlan(plan, refusedPlan)));
  assert.deepEqual([refused.map(({ plan }) => plan), left], [[refusedPlan], []]);
  assert.match(refused[0].reason, /^Kernel matmul\.NN\.main: [^]*(64|4096)/);
  assert.equal(launched.size, 3);
  await device.finish(); // it goes on
  const doubled = scale(upload(device, [2], Float32Array.of(1, 2)), 2);
  assert.deepEqual([...await doubled.read()], [2, 4]);
  device.endStep();

  launched.clear();
  const kept: RefusedPlan[] = JSON.parse(JSON.stringify(refused));
  const again = await tunePlans(device, twoClasses, { candidates, refused: kept });
  assert.deepEqual(new Set(Object.keys(again.plans)), new Set(Object.keys(plans)));
  assert.deepEqual(again.refused, refused);
  assert.equal(launched.size, 2);
  device.destroy();
});

Deno.test("where every plan is refused, the class has none, and the device goes on", async () => {
  const device = await create();
  const tuned = await tunePlans(device, twoClasses, { candidates: [refusedPlan] });
  assert.deepEqual([tuned.plans, tuned.left], [{}, []]);
  assert.equal(tuned.refused.length, 1);
  await device.finish();
  device.destroy();
});

Deno.test("one plan is taken untimed only where it is the device's own", async () => {
  const other = registerPlan(2, 1);
  const one = [product(64, 64, 32)];
  const only = await tunePlans(device, one, { candidates: [other] });
  assert.deepEqual(only.plans, { "NN f32 small": other });
  const own = await tunePlans(device, one, { candidates: [device.kernels.matmul] });
  assert.deepEqual(own.plans, {});
});

Deno.test("what no plan is to blame for is no plan's refusal", async () => {
  const limits = device.gpu.limits;
  const rows = 4 * Math.ceil(limits.maxBufferSize / 4 / 4 / 64 + 64);
  await assert.rejects(tunePlans(device, [product(rows, 64, 4)], { candidates }), OutOfMemoryError);
  await device.finish();
});

Deno.test("the tuner leaves no buffer, but for its launches' parameters", async () => {
  const device = await create();
  const tune = async () => void await tunePlans(device, twoClasses, { candidates });
  await tune();
  assert.equal(await leftBy(device.gpu, tune), 0);
  device.destroy();
});

Deno.test("narrow products and shapes that no tile fits are not timed", async () => {
  const { plans, left } = await tunePlans(device, [product(64, 8, 32), product(64, 13, 32)]);
  assert.deepEqual([plans, left], [{}, []]);
});

Deno.test("the key names the adapter", () => {
  assert.ok(tuningKey(device).startsWith(device.info.description));
});
