/** The tuner: which classes it times, what it keeps, and that its plans compute the same. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import {
  adapterPlan,
  candidatePlans,
  planFor,
  type Product,
  registerPlan,
  shapeClass,
  type TunedPlans,
} from "../../engine/plans.ts";
import { tunePlans, tuningKey } from "../../engine/tuner.ts";
import { workgroupBytes } from "../../kernels/mod.ts";

const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });

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
});

Deno.test("a GPU has several kinds of plan to choose from, within WebGPU's limits", () => {
  const gpu = { ...device.info, software: false, subgroupSize: 32, subgroupMinSize: 32 };
  const plans = candidatePlans(gpu, adapterPlan(gpu));
  assert.deepEqual(new Set(plans.map(({ kind }) => kind)), new Set(["registers", "workgroup"]));
  assert.ok(plans.some((plan) => plan.kind === "registers" && plan.broadcast));
  for (const plan of plans) {
    const [x, y] = plan.workgroup;
    assert.ok(x * y <= 256, JSON.stringify(plan));
    assert.ok(workgroupBytes(plan) <= 32768, JSON.stringify(plan));
  }
  const none = candidatePlans({ ...gpu, subgroupMinSize: 0 }, adapterPlan(gpu));
  assert.ok(none.every((plan) => plan.kind !== "registers" || !plan.broadcast));
});

Deno.test("every class is timed once, and what is known not at all", async () => {
  const timed: string[] = [];
  const products = [product(64, 64, 32), product(32, 64, 16), product(512, 512, 32)];
  const report = (done: number, classes: number) => timed.push(`${done} of ${classes}`);
  const tuned = await tunePlans(device, products, { report });
  assert.deepEqual(timed, ["0 of 2", "1 of 2"]);
  assert.deepEqual(new Set(Object.keys(tuned)), new Set(["NN f32 small", "NN f32 medium"]));
  const kept: TunedPlans = JSON.parse(JSON.stringify(tuned));
  const again = await tunePlans(device, products, { known: kept, report });
  assert.equal(timed.length, 2);
  assert.deepEqual(again, tuned);
  assert.deepEqual(device.tunedPlans, {}); // it is for the caller to use them
});

Deno.test("without time, every class gets the fixed plan", async () => {
  const tuned = await tunePlans(device, [product(64, 64, 32)], { seconds: -1 });
  assert.deepEqual(tuned, { "NN f32 small": device.kernels.matmul });
});

Deno.test("narrow products and shapes that no tile fits are not timed", async () => {
  assert.deepEqual(await tunePlans(device, [product(64, 8, 32), product(64, 13, 32)]), {});
});

Deno.test("the key names the adapter", () => {
  assert.ok(tuningKey(device).startsWith(device.info.description));
});
