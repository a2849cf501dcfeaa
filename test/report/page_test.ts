/** The page: what is in it, that nothing of the files is code in it, and that it can do with what older files lack. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { binned } from "../../cli/report/charts/curves.ts";
import { logTicks } from "../../cli/report/figure.ts";
import { escapeHtml } from "../../cli/report/html.ts";
import { folderTest } from "../files/temporary.ts";
import { comparedRow, count, pageOf, report, writeRun } from "./fixture.ts";

/** Whether a value that is none was written somewhere before the page's own script. */
const hasHole = (page: string) => /undefined|NaN|\[object/.test(page.split("<script>")[0]);

folderTest(
  "a page has every part of the report, and the same files make the same page",
  async (folder) => {
    const searched = {
      learning_rate_trials: [1e-4, 1e-3].map((rate) => ({
        learning_rate: rate,
        steps: 50,
        macro_f1: rate,
      })),
    };
    const runs = [
      { run: "full", method: "full", label: "Full", config: "-", trainable: 1e6, accuracy: 0.8 },
      { run: "lora-r4", trainable: 1000, accuracy: 0.75, fields: searched },
      { run: "adapter", method: "adapter", label: "Adapter", trainable: 5000, accuracy: 0.2 },
    ];
    const page = await pageOf(folder, runs);
    for (
      const part of [
        "<h1>mini on moods</h1>",
        "LoRA r=1000 is not told apart from it",
        ...["Runs", "Scores", "Curves", "Cost", "Labels", "Data", "Settings", "Learning rates"]
          .map((title) => `<h3>${title}</h3>`),
        ...[
          "Accuracy by trainable parameters",
          "Macro F1 by trainable parameters",
          "Training loss",
        ],
        ...[
          "Validation loss",
          "Validation macro F1",
          "Training time",
          "GPU memory",
          "Size on disk",
        ],
        ...["Confusion matrix", "Words a text", "Learning rates tried: lora-r4"],
        "Sentences that Full got most wrong",
        "a text 80", // the first that is wrong
        `deno task train --model_name mini --use_sample`,
        `deno task report ${folder}`,
        "a test&#39;s GPU",
      ]
    ) assert.ok(page.includes(part), part);
    assert.ok(!hasHole(page));
    assert.equal(count(page, 'role="img"'), count(page, "<figure"), "every chart is an image");
    assert.equal(count(page, "<desc id="), count(page, "<figure"), "and described");
    assert.equal(count(page, '<details class="data"'), count(page, "<figure"), "with its numbers");
    await report([folder]);
    assert.equal(await Deno.readTextFile(join(folder, "comparison.html")), page);
  },
);

folderTest(
  "whatever the files hold, the page has no code but its own and asks for nothing",
  async (folder) => {
    const evil = `"'></title></style><script>alert(1)</script><img src="https://x.y/z" onload=a()>`;
    const fields = {
      notices: [evil],
      model: { name: evil },
      command: [evil],
      hyperparameters: { [evil]: evil },
      adapter: { description: evil },
      versions: { deno: evil },
      finished: evil,
    };
    const options = { labels: [evil, `${evil}2`, "\0\ud800"], text: evil };
    const baselines = [{ label: evil, config: evil, accuracy: 0.5, macro_f1: 0.5 }];
    const rows = [comparedRow(evil, ["a", "b"], 0.5)];
    await Deno.writeTextFile(join(folder, "comparison.json"), JSON.stringify({ rows, baselines }));
    const runs = ["a", "b"].map((run) => ({ run, label: evil, config: run + evil, fields }));
    const page = await pageOf(folder, runs, options);
    assert.equal(count(page, "<script"), 1);
    assert.equal(count(page, "</style>"), 2, "the page's, and the colours of one comparison");
    assert.equal(count(page, "<img"), 0);
    assert.ok(!/<[^>]*\s(src|href)="(?!#|data:,)/.test(page));
    assert.ok(!/<\w[^<>"]*("[^"]*"[^<>"]*)*\son\w+=/.test(page), "no handler is an attribute");
    assert.ok(page.includes("&lt;script&gt;alert(1)"));
    assert.ok(!page.includes("\0") && page.isWellFormed());
    assert.match(page, /default-src &#39;none&#39;/);
  },
);

folderTest("one run, and files that lack what newer ones have, make a page", async (folder) => {
  const run = await writeRun(folder, {
    run: "old",
    fields: {
      dataset: { name: "moods" },
      test: {
        accuracy: 0.5,
        accuracy_interval_95: [0.4, 0.6],
        macro_f1: 0.5,
        confusion_matrix: [[1, 2], [3]],
      },
      learning_rate_trials: [{ learning_rate: 1e-3, steps: 5 }],
      ...Object.fromEntries(
        ["hyperparameters", "settings", "validation", "validation_steps", "peak_gpu_bytes"]
          .concat(["versions", "adapter", "command", "model", "finished", "training_seconds"])
          .map((name) => [name, undefined]),
      ),
    },
  });
  await Deno.remove(join(run, "predictions.jsonl"));
  await Deno.remove(join(run, "steps.jsonl"));
  const { code, err } = await report([folder]);
  assert.deepEqual([code, err], [0, ""]);
  const page = await Deno.readTextFile(join(folder, "comparison.html"));
  assert.match(page, /<h1>a model that is not named on moods<\/h1>/);
  assert.ok(!hasHole(page));
  assert.ok(!page.includes("<h3>Curves</h3>") && !page.includes("got most wrong"));
});

folderTest("many runs and many labels make a page of a size that can be sent", async (folder) => {
  const labels = Array.from({ length: 50 }, (_, at) => `label ${at} ${"long ".repeat(at)}`);
  const runs = Array.from({ length: 20 }, (_, at) => ({
    run: `run-${at}`,
    config: `r=${at}`,
    trainable: 1000 * (at + 1),
    accuracy: 0.5 + at / 50,
  }));
  const page = await pageOf(folder, runs, { labels, test: 500, steps: 3000 });
  assert.equal(count(page, '<details class="run"'), 20);
  assert.ok(page.length < 4e6, `${page.length} bytes`);
});

folderTest("what cannot be read is told, and the rest is shown", async (folder) => {
  const run = await writeRun(folder, { run: "good" });
  await Deno.writeTextFile(join(run, "steps.jsonl"), `{"step":1,"loss":2}\n{"step":`);
  for (const [name, text] of [["broken", "{"], ["foreign", `{"run":"x"}`]]) {
    await Deno.mkdir(join(folder, name));
    await Deno.writeTextFile(join(folder, name, "run.json"), text);
  }
  const { code, out, err } = await report([folder, "--json"]);
  assert.equal(code, 0);
  const { path, runs, problems } = JSON.parse(out);
  assert.deepEqual([path, runs], [join(folder, "comparison.html"), 1]);
  assert.equal(problems.length, 3);
  assert.match(problems[0], /broken.run\.json cannot be read: Expected property name/);
  assert.match(problems[1], /foreign.run\.json cannot be read: "method" is missing/);
  assert.match(problems[2], /good.steps\.jsonl is left out from its line 2 on: /);
  assert.match(err, /steps\.jsonl/);
  assert.match(await Deno.readTextFile(path), /<h2>Left out<\/h2>/);
});

folderTest(
  "runs of several folders: one comparison where the test part is the same",
  async (folder) => {
    const [first, second, third] = ["a", "b", "c"].map((name) => join(folder, name));
    await writeRun(first, { run: "full" });
    const fields = { hyperparameters: { learning_rate: 1e-3, num_epochs: 3, seed: 42 } };
    await writeRun(second, { run: "full", fields });
    await writeRun(third, { run: "full" }, { hash: "other" });
    const output = join(folder, "all.html");
    const { code, out } = await report([first, second, third, first, "--output", output]);
    assert.equal(code, 0);
    assert.match(out, /all\.html: 3 runs, /);
    const page = await Deno.readTextFile(output);
    assert.match(page, /<h1>2 comparisons<\/h1>/);
    assert.equal(count(page, '<section id="comparison-'), 2);
    assert.match(page, /The runs were not trained alike: they differ in batch_size, num_epochs\./);
    assert.ok(page.includes("LoRA r=1000, batch_size –, num_epochs 3"));
    await writeRun(first, { run: "lora", config: "r=1" });
    await writeRun(second, { run: "lora", config: "r=1" });
    await report([first, second, "--output", output]);
    assert.ok((await Deno.readTextFile(output)).includes("LoRA r=1 in a"));
    assert.ok(page.includes(`--output ${output}`));
  },
);

folderTest("wrong use and folders without runs are refused", async (folder) => {
  const cases: [string[], number, RegExp][] = [
    [[], 2, /Say which experiment: deno task report results\/FOLDER/],
    [[folder, folder], 2, /say where it goes with --output FILE/],
    [[join(folder, "none")], 1, /There is no folder .*none\./],
    [[folder], 1, /holds experiments, not their runs\. Name one or more of them, as .*first\./],
    [[join(folder, "empty")], 1, /empty holds no finished run\./],
    [[join(folder, "file")], 1, /file is a file; a report is made of an experiment's folder/],
  ];
  await Deno.writeTextFile(join(folder, "file"), "");
  await Deno.mkdir(join(folder, "empty"));
  await writeRun(join(folder, "first"), { run: "full" });
  for (const [args, code, message] of cases) {
    const ended = await report(args);
    assert.equal(ended.code, code);
    assert.match(ended.err, message);
  }
});

Deno.test("curves are thinned to means, and logarithmic axes have a few round values", () => {
  const steps = Array.from({ length: 10 }, (_, at) => ({ step: at + 1, loss: at }));
  assert.deepEqual(binned(steps, 4), [
    { step: 3, value: 1 },
    { step: 6, value: 4 },
    { step: 9, value: 7 },
    { step: 10, value: 9 },
  ]);
  assert.deepEqual(binned([], 4), []);
  assert.deepEqual(logTicks(900, 2e6), [1e3, 1e4, 1e5, 1e6]);
  assert.deepEqual(logTicks(900, 12000), [1e3, 3e3, 1e4]);
  assert.deepEqual(logTicks(4, 6), [5]);
});

Deno.test("text is escaped for elements and attributes", () => {
  assert.equal(
    escapeHtml(`<a b='c' d="e">&\0\ud800\n`),
    "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;\ufffd\ufffd\n",
  );
});
