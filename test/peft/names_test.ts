/** What runs are called: a folder that others can make, and never one for two settings. */
import assert from "node:assert/strict";
import { adapter } from "../../models/peft/adapter.ts";
import { ia3 } from "../../models/peft/ia3.ts";
import { lora, loraDefaults, type LoraMethod } from "../../models/peft/lora.ts";
import { definitionOf, type Method, runName } from "../../models/peft/methods.ts";

const loraWith = (settings: Partial<LoraMethod>): Method => ({ ...loraDefaults(8), ...settings });

/** A pattern of a rank for every layer, as PEFT's own tools write them. */
const everyLayer = (rank: number) =>
  Object.fromEntries(
    Array.from({ length: 24 }, (_, layer) => [`encoder.layer.${layer}.attention.self.query`, rank]),
  );

const settings: Method[] = [
  loraWith({}),
  loraWith({ rank: 4, alpha: 8 }),
  loraWith({ alpha: 8 }),
  loraWith({ alpha: 4 }),
  loraWith({ dropout: 0 }),
  loraWith({ dropout: 0.05 }),
  loraWith({ targetModules: ["pooler"] }),
  loraWith({ modulesToSave: ["pooler"] }),
  loraWith({ targetModules: ["query", "pooler"] }),
  loraWith({ targetModules: ["query"], modulesToSave: ["pooler"] }),
  loraWith({ targetModules: ["query"] }),
  loraWith({ targetModules: ["output.dense"] }),
  loraWith({ targetModules: ["output", "dense"] }),
  loraWith({ targetModules: ["q_lin", "v_lin"] }),
  loraWith({ targetModules: ["q", "lin_v_lin"] }),
  loraWith({ modulesToSave: ["pooler", "embeddings"] }),
  loraWith({ modulesToSave: ["pooler_embeddings"] }),
  loraWith({ useRslora: true }),
  loraWith({ useDora: true }),
  loraWith({ useRslora: true, useDora: true }),
  loraWith({ layers: [1] }),
  loraWith({ layers: [0, 3] }),
  loraWith({ layers: [3, 0] }),
  loraWith({ bias: "all" }),
  loraWith({ bias: "lora_only" }),
  loraWith({ rankPattern: { query: 4 } }),
  loraWith({ rankPattern: { query: 2 } }),
  loraWith({ rankPattern: { value: 4 } }),
  loraWith({ alphaPattern: { query: 4 } }),
  loraWith({ alphaPattern: { query: 0.5 } }),
  loraWith({ rankPattern: { query: 4 }, alphaPattern: { query: 4 } }),
  loraWith({ rankPattern: { query: 4, value: 2 } }),
  loraWith({ rankPattern: { value: 2, query: 4 } }), // the first that matches counts
  loraWith({ rankPattern: { "query=4+value": 2 } }),
  loraWith({ rankPattern: { "layer\\.[0-5]/.*|query": 4 } }),
  loraWith({ rankPattern: { "layer\\.[0-6]/.*|query": 4 } }),
  loraWith({ rankPattern: everyLayer(2) }),
  loraWith({ rankPattern: everyLayer(4) }),
  ...ia3.plan({}),
  ...ia3.plan({ ia3_target_modules: ["output.dense"] }),
  ...ia3.plan({ ia3_target_modules: ["output", "dense"] }),
  ...ia3.plan({ ia3_target_modules: ["key"], ia3_feedforward_modules: [] }),
  ...ia3.plan({ ia3_target_modules: ["key"], ia3_feedforward_modules: ["key"] }),
  ...ia3.plan({ ia3_target_modules: ["key"] }),
  ...adapter.plan({ size: [8, 16] }),
  ...adapter.plan({ size: [8, 16], adapter_placement: "output" }),
  { method: "adapter", size: 8, placement: "shared", poolerTrains: true },
  { method: "adapter", size: 8, placement: "shared", pooledActivation: "relu" },
];

function twice(texts: string[]): string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}

Deno.test("runs that differ have names and labels that differ", () => {
  assert.deepEqual(twice(settings.map(runName)), []);
  const labels = settings.map((method) =>
    `${method.method} ${definitionOf(method).configLabel(method)}`
  );
  // A pattern's label is for reading, and shows its text as it is.
  assert.deepEqual(twice(labels), ["lora r=8, ranks query=4+value=2"]);
});

Deno.test("a run's name can be a folder's anywhere, and is short", () => {
  for (const name of settings.map(runName)) assert.match(name, /^[\w.+=-]{1,80}$/);
});

Deno.test("the defaults are called by method, rank and size alone", () => {
  assert.deepEqual([...lora.plan({}), ...adapter.plan({}), ...ia3.plan({})].map(runName), [
    "lora-r4",
    "lora-r8",
    "lora-r16",
    "adapter-64",
    "adapter-128",
    "adapter-256",
    "ia3",
  ]);
});

Deno.test("patterns are readable in a name where they are short and plain, and else a hash", () => {
  const name = (rankPattern: Record<string, number>) => runName(loraWith({ rankPattern }));
  assert.equal(name({ query: 4, "output.dense": 2 }), "lora-r8-ranks_query=4+output.dense=2");
  assert.match(name({ "q.*": 4 }), /^lora-r8-ranks_[0-9a-f]{8}$/);
  assert.match(name(everyLayer(4)), /^lora-r8-ranks_[0-9a-f]{8}$/);
  const both = loraWith({ rankPattern: { query: 4 }, alphaPattern: { value: 32 } });
  assert.equal(runName(both), "lora-r8-ranks_query=4-alphas_value=32");
  assert.equal(lora.configLabel(both as LoraMethod), "r=8, ranks query=4, alphas value=32");
});

Deno.test("a name too long for a folder is cut, and stays one of its own", () => {
  const targetModules = Array.from(
    { length: 12 },
    (_, layer) => `encoder.layer.${layer}.output.dense`,
  );
  const lora = { ...loraDefaults(4), targetModules };
  const other = { ...lora, targetModules: targetModules.with(11, "encoder.layer.11.key") };
  const [name, ...rest] = [lora, other, { ...lora, alpha: 3 }].map(runName);
  assert.match(name, /^lora-r4-encoder\.layer\.0\..*-[0-9a-f]{8}$/);
  assert.equal(name.length, 100);
  assert.ok(!rest.includes(name));
});
