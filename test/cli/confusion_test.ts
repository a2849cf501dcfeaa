/** Of many classes the confusion matrix has a file of its own, from which the report reads it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  confusionFile,
  confusionText,
  matrixOf,
  readConfusion,
} from "../../cli/train/confusion.ts";
import { metricsReport } from "../../cli/train/run_report.ts";
import { readExperiments } from "../../cli/report/read.ts";
import { reportOf } from "../../cli/report/model.ts";
import { page } from "../../cli/report/page.ts";
import { computeMetrics } from "../../models/training/metrics.ts";
import { withFolder } from "../files/temporary.ts";

const labelsOf = (classes: number) =>
  Array.from({ length: classes }, (_, index) => `class ${index}`);

/** Each class once; every third is taken for the next one. */
function metricsOf(classes: number) {
  const actual = Array.from({ length: classes }, (_, index) => index);
  const predicted = actual.map((index) => index % 3 === 0 ? (index + 1) % classes : index);
  return computeMetrics(labelsOf(classes), actual, predicted, 1.5);
}

Deno.test("run.json holds a matrix of up to 100 classes, and no larger one", () => {
  assert.equal(metricsReport(metricsOf(100)).confusion_matrix?.length, 100);
  const { confusion } = metricsOf(101);
  assert.ok(!("confusion_matrix" in metricsReport(metricsOf(101))));
  const text = confusionText(confusion);
  assert.deepEqual(matrixOf(readConfusion(text)), confusion);
  assert.ok(text.length < 20 * 101, "only counts above 0 are written");
  for (const damaged of ["{", "{}", '{"classes": 2, "counts": [[0, 2, 1]]}']) {
    assert.throws(() => readConfusion(damaged));
  }
});

Deno.test("the report of 1,500 classes opens, lists what was taken for what, and is small", () =>
  withFolder(async (folder) => {
    const metrics = metricsOf(1500);
    const run = join(folder, "lora-r4");
    await Deno.mkdir(run);
    const fields = {
      ...{ run: "lora-r4", method: "lora", label: "LoRA", config: "r=4", trainable_params: 10 },
      test: metricsReport(metrics),
      dataset: { name: "many" },
    };
    await Deno.writeTextFile(join(run, "run.json"), JSON.stringify(fields));
    await Deno.writeTextFile(join(run, confusionFile), confusionText(metrics.confusion));
    const read = await readExperiments([folder]);
    assert.deepEqual(read.problems, []);
    assert.deepEqual(read.runs[0].fields.test.confusion_matrix, metrics.confusion);
    const text = page(reportOf(read), "again");
    assert.match(text, /aria-label="Most often wrong: LoRA r=4"/);
    assert.match(text, /class 0<\/th><td>class 1<\/td>/);
    assert.ok(!text.includes("Confusion matrix"));
    assert.ok(text.length < 2e6, `${text.length}`);
    await Deno.writeTextFile(join(run, confusionFile), "{");
    const { problems, runs } = await readExperiments([folder]);
    assert.match(problems[0], /confusion_matrix\.json is left out: /);
    assert.deepEqual(runs[0].fields.test.confusion_matrix, []);
  }));
