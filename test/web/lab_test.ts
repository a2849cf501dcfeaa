/** What the page computes beside its views. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { pastedData, pastedRows } from "../../web/lab/data.ts";
import { openRuns, zipOf } from "../../web/lab/files.ts";
import { baseFiles, readBase } from "../../web/lab/base.ts";
import { rankErrors, singularValues } from "../../web/lab/singular_values.ts";
import { formulas, kernelOf, launchOf } from "../../web/lab/sources.ts";
import { freeName } from "../../web/lab/trained.ts";
import type { NamedTensors } from "../../models/files/run_file.ts";
import { type Method, methodParameters, methods } from "../../models/peft/methods.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { sizeOf } from "../../engine/shape.ts";
import { binned } from "../../web/views/plot.ts";

Deno.test("pasted lines are cut at a tab, or at their last comma", () => {
  const text = `text,label\nI came, I saw,joy\r\n\n"Why, oh why",anger\nso\tgood, really\tjoy`;
  assert.deepEqual(pastedRows(text), [
    { text: "I came, I saw", label: "joy" },
    { text: "Why, oh why", label: "anger" },
    { text: "so\tgood, really", label: "joy" },
  ]);
  assert.throws(() => pastedRows("good, joy\nbad"), {
    message: 'Line 2 has no label: "bad". Write the sentence, a comma and its label.',
  });
});

Deno.test("pasted lines become a split data set, or a sentence on what is missing", async () => {
  const lines = [0, 1, 2, 3].flatMap((n) => [`good ${n}, joy`, `bad ${n}, anger`]);
  const { dataset, split } = await pastedData(lines.join("\n"));
  assert.deepEqual(dataset.labels, ["anger", "joy"]);
  assert.deepEqual([split.train.length, split.validation.length, split.test.length], [4, 2, 2]);
  await assert.rejects(pastedData("good, joy\nbetter, joy"), /has one class, "joy"/);
  await assert.rejects(pastedData("good, joy\nbad, anger"), /at least 3 rows/);
});

Deno.test("singular values are those of known matrices, and tell what a rank misses", () => {
  const near = (found: number[], expected: number[]) =>
    found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${found}`));
  near(singularValues([3, 0, 0, 4], 2), [4, 3]);
  near(singularValues([1, 1, 0, 1], 2), [(1 + Math.sqrt(5)) / 2, (Math.sqrt(5) - 1) / 2]);
  const one = [2, 4, 6, 1, 2, 3]; // rank 1, [2, 3]
  near(singularValues(one, 3), [Math.sqrt(70), 0, 0]);
  near(rankErrors([4, 3]), [1, 0.6, 0]);
  near(rankErrors([0, 0]), [0, 0, 0]);
});

Deno.test("a name that is taken gets a number; a curve of many points is binned", () => {
  assert.equal(freeName("lora-r8", ["full"]), "lora-r8");
  assert.equal(freeName("lora-r8", ["lora-r8", "lora-r8-2"]), "lora-r8-3");
  const points = Array.from({ length: 200 }, (_, i) => ({ x: i + 1, y: i % 2 }));
  const bins = binned(points);
  assert.ok(bins.length <= 90);
  assert.equal(bins.at(-1)!.x, 200);
});

Deno.test("every formula has the lines that launch it, and its kernel whole", () => {
  for (const formula of formulas) {
    const [launch, kernel] = [launchOf(formula), kernelOf(formula)];
    assert.ok(launch.text.startsWith("const ") && launch.line > 1, launch.text);
    assert.ok(launch.text.includes(formula.launch) && launch.text.split("\n").length <= 3);
    assert.ok(kernel.text.startsWith(`fn ${formula.entry}(`) && kernel.line > 1, kernel.text);
    assert.ok(kernel.text.endsWith("\n}"), kernel.text);
  }
});

async function readMini() {
  const path = (name: string) =>
    fileURLToPath(new URL(`../../assets/mini/${name}`, import.meta.url));
  const files = baseFiles.map(async (name) =>
    [name, new Blob([await Deno.readFile(path(name))])] as const
  );
  return await readBase({ name: "mini", origin: "built-in" }, new Map(await Promise.all(files)));
}

Deno.test("a run of each method goes into a zip and comes back as it was", async () => {
  const base = await readMini();
  const labels = ["anger", "joy", "neutral"];
  const all: Method[] = [
    loraDefaults(2),
    methods.adapter.plan({ size: [8] })[0],
    methods.ia3.plan({})[0],
    { method: "full" },
  ];
  for (const method of all) {
    const weights: NamedTensors = new Map();
    for (const { name, shape, trainable } of methodParameters(base.config, method, labels.length)) {
      if (!trainable) continue;
      // A shared adapter is written for every layer, and read as one: all values are the same there.
      weights.set(name, { shape, data: new Float32Array(sizeOf(shape)).fill(0.5) });
    }
    const trained = {
      name: method.method,
      method,
      labels,
      weights,
      trainableParameters: 1,
      maxLength: 77,
      origin: "a test",
    };
    const zip = await zipOf(trained, base, []);
    const [opened, ...more] = await openRuns([new File([zip], "run.zip")], base);
    assert.deepEqual(more, [], "the base beside it is no run");
    assert.equal(opened.name, method.method);
    assert.deepEqual(opened.method, method);
    assert.deepEqual([opened.labels, opened.maxLength], [labels, 77]);
    assert.deepEqual(opened.weights, weights);
  }
});

Deno.test("files that hold no run are refused in a sentence", async () => {
  const base = await readMini();
  const refused = (name: string, content: string, expected: RegExp) =>
    assert.rejects(openRuns([new File([content], name)], base), { message: expected });
  await refused("a.zip", "no zip", /^a\.zip is no zip file, or a damaged one\.$/);
  await refused("notes.txt", "hello", /^There is no trained run in these files\. Choose a zip/);
  await refused("adapter_config.json", "{", /adapter_config\.json/);
});
