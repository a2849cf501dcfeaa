/** The tuned kernels' way: timed once, kept in a file, used again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { tuneForAdapter } from "../../cli/tuning.ts";
import { readTunedPlans, tuningCachePath, writeTunedPlans } from "../../cli/tuning_cache.ts";
import type { DeviceHandle, TrainingTools } from "../../cli/tools.ts";
import { cooperativePlan, registerPlan, shapeClass, type TunedPlans } from "../../engine/plans.ts";
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

/** Tools that "tune" whatever is not known, and count how often. */
function countingTools(key = "a GPU") {
  const calls = { count: 0 };
  const tools: Pick<TrainingTools<DeviceHandle>, "tuneKernels" | "tuningKey"> = {
    tuningKey: () => key,
    tuneKernels: (_device, _products, { known }) => {
      if (Object.keys(known).length === 0) calls.count++;
      return Promise.resolve({ ...plans, ...known });
    },
  };
  return { calls, tools };
}

Deno.test("plans are timed once for an adapter, and again for another key", () =>
  withFolder(async (folder) => {
    const path = join(folder, "cache", "kernels.json");
    const device = await fakeTools().createDevice();
    const { calls, tools } = countingTools();
    const first = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(first.plans, plans);
    assert.match(first.fact!, /^3 kinds of matrix product in \d+\.\d s, kept in .*kernels\.json$/);
    const second = await tuneForAdapter(device, [], tools, recorder(), path);
    assert.deepEqual(second, { plans });
    assert.equal(calls.count, 1);
    const other = countingTools("another GPU");
    await tuneForAdapter(device, [], other.tools, recorder(), path);
    assert.equal(other.calls.count, 1);
    assert.deepEqual(await readTunedPlans(path, "a GPU"), plans, "the first adapter's stay");
  }));

Deno.test("a damaged or foreign cache is tuned over", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    for (
      const text of [
        "{",
        "[]",
        '{"version": 2, "adapters": {}}',
        '{"version":1,"adapters":{"k":{"tuned":"","plans":{"NT":{"kind":"odd"}}}}}',
      ]
    ) {
      await Deno.writeTextFile(path, text);
      assert.deepEqual(await readTunedPlans(path, "k"), {});
      await writeTunedPlans(path, "k", plans);
      assert.deepEqual(await readTunedPlans(path, "k"), plans);
    }
  }));

Deno.test("a cache that cannot be written is a notice, no failure", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const err = recorder();
    const device = await fakeTools().createDevice();
    const { tools } = countingTools();
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
