/** Methods on the report's page: seeds together, paired tests, baselines, as `comparison.json` tells them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { folderTest } from "../files/temporary.ts";
import { comparedRow, count, pageOf, report, writeRun } from "./fixture.ts";

folderTest(
  "runs of several seeds are one method, told apart by the comparison's paired tests",
  async (folder) => {
    const pair = {
      first: "lora-r8",
      second: "full",
      f1_score_difference: 0.05,
      f1_score_difference_interval_95: [0.01, 0.09],
      mcnemar_p: 0.01,
      told_apart: true,
    };
    const content = {
      rows: [
        comparedRow("lora-r8", ["lora-r8-s1", "lora-r8-s2"], 0.75),
        comparedRow("full", ["full"], 0.7),
      ],
      pairs: [pair],
      baselines: [{ label: "Majority class", config: "joy", accuracy: 0.5, macro_f1: 0.3 }],
    };
    await Deno.writeTextFile(join(folder, "comparison.json"), JSON.stringify(content));
    const seeded = (seed: number, accuracy: number) => ({
      run: `lora-r8-s${seed}`,
      accuracy,
      fields: { group: "lora-r8", hyperparameters: { learning_rate: 1e-3, seed } },
    });
    const full = {
      run: "full",
      method: "full",
      label: "Full",
      config: "-",
      trainable: 1e6,
      accuracy: 0.7,
    };
    const split = { train: 800, validation: 100, test: 100, seed: 42 };
    const runs = [seeded(1, 0.74), seeded(2, 0.76), full].map((run) => ({
      ...run,
      fields: {
        ...("fields" in run ? run.fields : {}),
        dataset: { name: "moods", hash: "h", split },
      },
    }));
    const page = (await pageOf(folder, runs)).replace(/\s+/g, " ");
    assert.ok(page.includes("lora-r8 has the highest accuracy on the 100 test sentences, 0.750"));
    assert.ok(page.includes("It is told apart from the other: by paired tests."));
    for (
      const part of [
        "Over seeds",
        "0.7500 ± 0.0200",
        "Pairs of methods",
        "0.0100",
        "Majority class (joy)",
      ]
    ) {
      assert.ok(page.includes(part), part);
    }
    assert.equal(count(page, "badge best"), 2, "both runs of the method");
    assert.ok(page.includes("Sentences that lora-r8-s2 got most wrong"), "the better of its seeds");
    assert.match(page, /<details class="run" open ?> <summary><strong>lora-r8-s2</);
    assert.equal((await report([`${folder}/`])).code, 0);
    const again = await Deno.readTextFile(join(folder, "comparison.html"));
    for (const part of ["0.7500 ± 0.0200", "Pairs of methods", "Majority class (joy)"]) {
      assert.ok(again.includes(part), `with a slash after the folder: ${part}`);
    }
  },
);

folderTest(
  "a comparison has the baselines of its own rows, and runs of files before splits had seeds",
  async (folder) => {
    const [first, second] = ["a", "b"].map((name) => join(folder, name));
    const split = { train: 800, validation: 100, test: 100, seed: 42 };
    await writeRun(first, { run: "full" });
    await writeRun(first, { run: "new", fields: { dataset: { name: "moods", hash: "h", split } } });
    await writeRun(second, { run: "full" }, { hash: "other" });
    for (const [path, label] of [[first, "Bag of words"], [second, "Bag of pieces"]]) {
      const baselines = [{ label, config: "tf-idf", accuracy: 0.5, macro_f1: 0.3 }];
      const content = { rows: [comparedRow("full", ["full"], 0.5)], baselines };
      await Deno.writeTextFile(join(path, "comparison.json"), JSON.stringify(content));
    }
    const output = join(folder, "all.html");
    assert.equal((await report([first, second, "--output", output])).code, 0);
    const page = await Deno.readTextFile(output);
    const sections = page.split('<section id="comparison-').slice(1);
    assert.deepEqual(
      sections.map((section) => section.match(/Bag of \w+/g)),
      [["Bag of words"], ["Bag of pieces"]],
    );
    assert.match(sections[0], /<span>2 runs</);
  },
);
