/** The tuned kernels' way: timed once, kept in a file, used again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseFlags } from "../../cli/train/flags.ts";
import { planRuns } from "../../cli/train/plan.ts";
import { productsOf, tuneForAdapter } from "../../cli/train/tuning.ts";
import { readTuning, tuningCachePath, writeTuning } from "../../cli/train/tuning_cache.ts";
import type { DeviceHandle, TrainingTools } from "../../cli/train/tools.ts";
import {
  cooperativePlan,
  type RefusedPlan,
  registerPlan,
  type TunedPlans,
  workgroupPlan,
} from "../../engine/plans.ts";
import { withFolder } from "../files/temporary.ts";
import { fakeTools, tinyConfig } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";

const plans: TunedPlans = {
  "NT f32 medium": registerPlan(2, 2),
  "NN f32 medium": workgroupPlan(1, 2),
  "TN f32 large": cooperativePlan({
    extension: "chromium_experimental_subgroup_matrix",
    fragment: [16, 16, 16],
    lanes: 32,
  }),
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

Deno.test("a damaged or foreign cache is tuned over; of one that is damaged it is told why", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    const device = await fakeTools().createDevice();
    for (
      const [text, told] of [
        ["{", /JSON/],
        ["[]", /"version" is missing/],
        ['{"version": 1, "adapters": {"a GPU":{"tuned":"","plans":{}}}}', undefined],
        ['{"version": 3, "adapters": {}}', undefined],
        [
          '{"version":2,"adapters":{"a GPU":{"tuned":"","plans":{"NT":{"kind":"odd"}},"refused":[]}}}',
          /"plans\.NT\.kind": Invalid/,
        ],
        ['{"version":2,"adapters":{"__proto__":{"tuned":1},"b":7}}', undefined],
      ] as const
    ) {
      await Deno.writeTextFile(path, text);
      const err = recorder();
      await tuneForAdapter(device, [], tuningTools().tools, err, path);
      if (told === undefined) assert.equal(err.text, "");
      else {
        assert.match(
          err.text.replace(/\s+!?\s*/g, " "),
          /kernels\.json cannot be used .* tuned anew/,
        );
        assert.match(err.text, told);
      }
      assert.deepEqual(await readTuning(path, "a GPU"), { plans, refused: [] });
    }
  }));

Deno.test("plans that the adapter cannot have kept are told, dropped and replaced", () =>
  withFolder(async (folder) => {
    const path = join(folder, "kernels.json");
    const device = await fakeTools().createDevice();
    const odd = { ...plans, "NT f32 medium": registerPlan(0, 1e6) };
    await writeTuning(path, "a GPU", { plans: odd, refused: [] });
    const { tools } = tuningTools();
    const sound: typeof tools = {
      ...tools,
      tuneKernels(device, products, { known, ...rest }) {
        const { "NT f32 medium": _, ...left } = known;
        return tools.tuneKernels(device, products, { known: left, ...rest });
      },
    };
    const err = recorder();
    const { fact } = await tuneForAdapter(device, [], sound, err, path);
    assert.match(err.text.replace(/\s+!?\s*/g, " "), /holds 1 plan that this adapter cannot have/);
    assert.match(fact!, /^1 kind of matrix product/);
    assert.deepEqual((await readTuning(path, "a GPU")).plans, plans);
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

Deno.test("tuned for are the products of every run's step, of a batch of the usual length", async () => {
  const parsed = parseFlags(["--rank", "4", "--size", "64,128", "--frozen_dtype", "bf16"]);
  assert.ok(parsed.kind === "flags");
  const { runs } = planRuns(parsed.flags);
  const asked: string[] = [];
  const tools: Pick<TrainingTools<DeviceHandle>, "stepProducts"> = {
    stepProducts(_device, { config, method, classes, frozenDtype }, { sentences, tokens }) {
      assert.equal(config, tinyConfig);
      asked.push(`${method.method} ${classes} ${frozenDtype} ${sentences} ${tokens}`);
      return [{ transpose: "NT", rows: tokens, columns: 4, inner: 4, dtype: "f32" }];
    },
  };
  const device = await fakeTools().createDevice();
  const texts = ["one", "two words", "a", "and so forth then"]; // 2, 3, 2 and 5 tokens
  const train = texts.map((text) => ({ text, label: 0 }));
  const tokenizer = {
    vocabSize: 100,
    idOf: () => undefined,
    files: [],
    notices: [],
    encode: (text: string) => [0, ...text.split(" ").map(Number)],
  };
  const sizes = { config: tinyConfig, classes: 3 };
  const split = { train, validation: [], test: [] };
  const products = productsOf(device, runs, sizes, split, tokenizer, tools);
  assert.deepEqual(asked, [
    "full 3 bf16 16 48",
    "lora 3 bf16 16 48",
    "adapter 3 bf16 16 48",
    "adapter 3 bf16 16 48",
  ]);
  assert.deepEqual(products.map(({ rows }) => rows), [48, 48, 48, 48]);
});
