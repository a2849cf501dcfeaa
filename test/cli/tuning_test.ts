/** The tuned kernels' way: timed once, kept in a file, used again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { tuneForAdapter } from "../../cli/tuning.ts";
import { readTuning, tuningCachePath, writeTuning } from "../../cli/tuning_cache.ts";
import type { DeviceHandle, TrainingTools } from "../../cli/tools.ts";
import {
  cooperativePlan,
  type RefusedPlan,
  registerPlan,
  shapeClass,
  type TunedPlans,
} from "../../engine/plans.ts";
import { bertBaseUncased } from "../../models/bert/config.ts";
import { stepProducts } from "../../models/bert/products.ts";
import { loraDefaults } from "../../models/peft/method.ts";
import { withFolder } from "../files/temporary.ts";
import { fakeTools, recorder } from "./fake_tools.ts";

const plans: TunedPlans = {
  "NT f32 medium": registerPlan(2, 2),
  "NN f32 medium": { kind: "workgroup", rows: 1, columns: 2, inner: 16, workgroup: [16, 16] },
  "TN f32 large": cooperativePlan(16, 32),
};

const refused: RefusedPlan[] = [{ plan: registerPlan(8, 8), reason: "Kernel matmul: too large" }];

/** Tools that "tune" up to so many of the classes that are not known, and note what they did. */
function tuningTools({ key = "a GPU", most = 3, refuses = [] as RefusedPlan[] } = {}) {
  const timed: string[][] = [];
  const tools: Pick<TrainingTools<DeviceHandle>, "tuneKernels" | "tuningKey"> = {
    tuningKey: () => key,
    tuneKernels: (_device, _products, { known, refused }) => {
      const missing = Object.keys(plans).filter((name) => !(name in known));
      timed.push(missing.slice(0, most));
      const added = Object.fromEntries(timed.at(-1)!.map((name) => [name, plans[name]]));
      const found = refused.length > 0 ? refused : refuses;
      const tuned = { plans: { ...known, ...added }, refused: found, left: missing.slice(most) };
      return Promise.resolve(tuned);
    },
  };
  return { timed, tools };
}

Deno.test("plans are timed once for an adapter, and again for another key", () =>
  withFolder(async (folder) => {
    const path = join(folder, "cache", "kernels.json");
    const device = await fakeTools().createDevice();
    const { timed, tools } = tuningTools();
    const first = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(first.plans, plans);
    assert.match(first.fact!, /^3 kinds of matrix product in \d+\.\d s, kept in .*kernels\.json$/);
    const second = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(second, { plans, refused: [] });
    assert.deepEqual(timed.map(({ length }) => length), [3, 0]);
    const other = tuningTools({ key: "another GPU" });
    await tuneForAdapter(device, [], other.tools, recorder(), path);
    assert.equal(other.timed[0].length, 3);
    assert.deepEqual((await readTuning(path, "a GPU")).plans, plans, "the first adapter's stay");
  }));

Deno.test("what there was no time for is not kept: a later run times it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    const device = await fakeTools().createDevice();
    const { timed, tools } = tuningTools({ most: 1 });
    const tune = async () => (await tuneForAdapter(device, [], tools, recorder(), path)).fact;
    assert.match((await tune())!, /^1 kind of .*, kept in .*; 2 kinds left for the next run$/);
    assert.equal(Object.keys((await readTuning(path, "a GPU")).plans).length, 1);
    assert.match((await tune())!, /^1 kind of .*, kept in .*; 1 kind left for the next run$/);
    assert.match((await tune())!, /^1 kind of .*, kept in .*kernels\.json$/);
    assert.equal(await tune(), undefined);
    assert.deepEqual(timed, [...Object.keys(plans).map((name) => [name]), []]);
    const none = tuningTools({ key: "a slow GPU", most: 0 });
    const { fact } = await tuneForAdapter(device, [], none.tools, recorder(), path);
    assert.match(fact!, /^0 kinds of matrix product in \d+\.\d s; 3 kinds left for the next run$/);
  }));

Deno.test("what the driver refuses is kept, so that it is not tried again", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    const device = await fakeTools().createDevice();
    const { tools } = tuningTools({ refuses: refused });
    const first = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(first.refused, refused);
    assert.match(first.fact!, /kept in .*; 1 plan refused by the driver$/);
    assert.deepEqual(await readTuning(path, "a GPU"), { plans, refused });
    const second = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(second, { plans, refused });
    const other = tuningTools({ key: "all refused", most: 0, refuses: refused });
    await tuneForAdapter(device, [], other.tools, recorder(), path);
    assert.deepEqual(await readTuning(path, "all refused"), { plans: {}, refused });
  }));

Deno.test("a damaged or foreign cache is tuned over", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    for (
      const text of [
        "{",
        "[]",
        '{"version": 1, "adapters": {"k":{"tuned":"","plans":{}}}}',
        '{"version": 3, "adapters": {}}',
        '{"version":2,"adapters":{"k":{"tuned":"","plans":{"NT":{"kind":"odd"}},"refused":[]}}}',
      ]
    ) {
      await Deno.writeTextFile(path, text);
      assert.deepEqual(await readTuning(path, "k"), { plans: {}, refused: [] });
      await writeTuning(path, "k", { plans, refused });
      assert.deepEqual(await readTuning(path, "k"), { plans, refused });
    }
  }));

Deno.test("a cache that cannot be written is a notice, no failure", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const err = recorder();
    const device = await fakeTools().createDevice();
    const { tools } = tuningTools();
    const tuned = await tuneForAdapter(device, [], tools, err, join(file, "kernels.json"));
    assert.deepEqual(tuned.plans, plans);
    assert.match(err.text, /could not be kept/);
  }));

Deno.test("the cache lies where caches lie", () => {
  const at = (environment: Record<string, string>) => tuningCachePath((name) => environment[name]);
  const tail = join("peft-on-webgpu", "kernels.json");
  assert.equal(at({ XDG_CACHE_HOME: "/c", HOME: "/h" }), join("/c", tail));
  assert.equal(at({ HOME: "/h" }), join("/h", ".cache", tail));
  assert.equal(at({ USERPROFILE: "/u" }), join("/u", ".cache", tail));
});

Deno.test("a step's products are those of its layers, stacked for query, key and value", () => {
  const size = { sentences: 16, tokens: 320 };
  const lora = stepProducts(bertBaseUncased, loraDefaults(8), size, "bf16");
  assert.equal(lora.length, 2 * (12 * 4 + 1));
  assert.deepEqual(lora[0], {
    transpose: "NT",
    rows: 320,
    columns: 768,
    inner: 768,
    dtype: "bf16",
    stack: 3,
  });
  assert.ok(lora.every(({ transpose }) => transpose !== "TN"));
  const full = stepProducts(bertBaseUncased, { method: "full" }, size, "bf16");
  assert.equal(full.length, 3 * (12 * 4 + 1));
  assert.ok(full.every(({ dtype }) => dtype === "f32"));
  const placement = "shared" as const;
  const adapter = stepProducts(
    bertBaseUncased,
    { method: "adapter", size: 64, placement },
    size,
    "f32",
  );
  assert.equal(adapter.length, 2 * (12 * 4 + 1) + 6);
  assert.ok(new Set(full.map(shapeClass)).size <= 9);
});
