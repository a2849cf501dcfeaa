/** Data sets that come with a validation or a test part of their own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { putFiles, withFakeHub } from "../models/fake_hub.ts";
import { withFolder } from "../files/temporary.ts";

const hub = { endpoint: "http://127.0.0.1:9", cacheFolder: "/none", offline: true };

const csv = (rows: readonly (readonly [string, string])[], columns = "text,label") =>
  [columns, ...rows.map((row) => row.join(","))].join("\n") + "\n";

const rowsOf = (name: string, labels: readonly string[], each: number) =>
  labels.flatMap((label) =>
    Array.from({ length: each }, (_, row) => [`${name} ${label} ${row}`, label] as const)
  );

const load = async (files: Record<string, string>, asked = {}) => {
  let found: Awaited<ReturnType<typeof loadDataset>>;
  await withFolder(async (folder) => {
    await putFiles(folder, files);
    found = await loadDataset({ dataset: folder, hub, ...asked });
  });
  return found!;
};

const fails = (promise: Promise<unknown>, message: RegExp, exitCode = 1) =>
  assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    assert.equal(error.exitCode, exitCode);
    return true;
  });

const train = csv(rowsOf("a", ["x", "y"], 20));

Deno.test("given parts are taken as they are; a part that is not given is a tenth of train", async () => {
  const validation = csv(rowsOf("v", ["x", "y"], 2));
  const test = csv(rowsOf("t", ["x", "y"], 3));
  const sizes = async (files: Record<string, string>) => {
    const data = await load(files);
    const split = stratifiedSplit(data, { seed: 1 });
    const rows = [...split.train, ...split.validation, ...split.test];
    assert.equal(new Set(rows).size, data.examples.length, "each row once");
    const texts = (part: keyof typeof split) =>
      new Set(split[part].map(({ text }) => text[0])).values().toArray().join("");
    return [
      split.train.length,
      `${split.validation.length}${texts("validation")}`,
      `${split.test.length}${texts("test")}`,
    ];
  };
  const given = { "train.csv": train, "validation.csv": validation, "test.csv": test };
  assert.deepEqual(await sizes(given), [40, "4v", "6t"]);
  assert.deepEqual(await sizes({ "train.csv": train, "test.csv": test }), [36, "4a", "6t"]);
  assert.deepEqual(await sizes({ "train.csv": train, "dev.csv": validation }), [36, "4v", "4a"]);
  // A tenth of each class, and the same rows for the same seed only.
  const data = await load({ "train.csv": train, "test.csv": test });
  const split = stratifiedSplit(data, { seed: 1 });
  assert.deepEqual(split.validation.map(({ label }) => label), [0, 0, 1, 1]);
  assert.deepEqual(stratifiedSplit(data, { seed: 1 }), split);
  assert.notDeepEqual(stratifiedSplit(data, { seed: 2 }).validation, split.validation);
  // Rows are counted within their part, as its file has them.
  assert.deepEqual(split.test.map(({ row }) => row), [1, 2, 3, 4, 5, 6]);
  // By ratio the training part is split alone, as of a single file.
  const alone = await load(given, { splitBy: "ratio" });
  assert.equal(alone.given, undefined);
  assert.equal(alone.hash, (await load({ "train.csv": train })).hash);
});

Deno.test("the hash tells in which part a row is", async () => {
  const [first, ...rest] = rowsOf("t", ["x", "y"], 3);
  const hashes = await Promise.all([
    load({ "train.csv": train, "test.csv": csv([first, ...rest]) }),
    load({ "train.csv": train, "test.csv": csv(rest) }),
    load({ "train.csv": csv([...rowsOf("a", ["x", "y"], 20), first]), "test.csv": csv(rest) }),
    load({ "train.csv": train, "dev.csv": csv([first, ...rest]) }),
  ]);
  assert.equal(new Set(hashes.map(({ hash }) => hash)).size, 4);
});

Deno.test("few rows of a class do where parts are given, and a single one is trained on", async () => {
  const rows = [...rowsOf("a", ["x", "y"], 5), ["once", "z"] as const];
  const test = csv([...rowsOf("t", ["x", "y"], 1), ["t", "z"]]);
  const data = await load({ "train.csv": csv(rows), "test.csv": test });
  const split = stratifiedSplit(data, { seed: 1 });
  assert.deepEqual([split.train.length, split.validation.length], [9, 2]);
  assert.ok(split.train.some(({ text }) => text === "once"));
  const none = await load({ "train.csv": csv([["a", "x"], ["b", "y"]]), "test.csv": test });
  assert.throws(
    () => stratifiedSplit(none, { seed: 1 }),
    /no row for validation: .* 2 training rows/,
  );
});

Deno.test("classes that a part lacks, and texts that training sees too, are told with their numbers", async () => {
  const rows = rowsOf("a", ["x", "y"], 20);
  const test = csv([rows[0], rows[1], ["new", "x"], ["newer", "z"]]);
  const { notices, labels, conflicts } = await load({ "train.csv": csv(rows), "test.csv": test });
  assert.deepEqual(labels, ["x", "y", "z"]);
  assert.equal(conflicts, 0);
  assert.match(
    notices[0],
    /^No training row has "z", which 1 test row has: it cannot be learnt\.$/,
  );
  assert.match(notices[1], /^No test row has "y": counted as 0/);
  assert.match(notices[2], /^2 of 4 test rows have texts that training sees too: they are kept/);
  assert.equal(notices.length, 3);
  assert.deepEqual(
    (await load({ "train.csv": train, "test.csv": csv([["q", "x"], ["r", "y"]]) })).notices,
    [],
  );
});

Deno.test("duplicates go within a part, and stay where they are in two", async () => {
  const twice = [["same", "x"], ["same", "x"], ["other", "y"]] as const;
  const data = await load({
    "train.csv": csv([...twice, ...rowsOf("a", ["x", "y"], 3)]),
    "test.csv": csv(twice),
  });
  assert.equal(data.duplicates, 2);
  assert.deepEqual(data.given, { train: 8, validation: 0, test: 2 });
});

Deno.test("a test part without labels is left out, and told", async () => {
  const kept = { "train.csv": train, "dev.csv": csv(rowsOf("v", ["x", "y"], 2)) };
  for (
    const test of [
      "id,text\n1,a\n2,b\n", // Kaggle
      csv([["a", "-1"], ["b", "-1.0"]]), // GLUE
      csv([["a", ""], ["b", "nan"]]),
      "text,label\n",
    ]
  ) {
    const data = await load({ ...kept, "test.csv": test });
    assert.deepEqual(data.given, { train: 40, validation: 4, test: 0 });
    assert.match(
      data.notices.join(),
      /The test data in .*test\.csv are left out, since no row has/,
    );
  }
  // -1 is a class where training has it.
  const signs = csv(rowsOf("a", ["-1", "1"], 20));
  const data = await load({ "train.csv": signs, "test.csv": csv([["a", "-1"]]) });
  assert.equal(data.given?.test, 1);
});

Deno.test("shards or parts without the columns of the first are an error that names the columns of both", async () => {
  const other = csv(rowsOf("b", ["x", "y"], 2), "words,label");
  await fails(
    load({ "train-00000-of-00002.csv": train, "train-00001-of-00002.csv": other }),
    /00000-of-00002\.csv has "text", "label", and .*00001-of-00002\.csv has "words", "label"/,
  );
  await fails(
    load({ "train.csv": train, "test.csv": other }),
    /train\.csv has "text", .*test\.csv has "words"/,
  );
});

Deno.test("a sample keeps parts and classes in proportion, and every class of each part", async () => {
  const data = await load({
    "train.csv": csv(rowsOf("a", ["x", "y"], 40)),
    "dev.csv": csv(rowsOf("v", ["x", "y"], 10)),
    "test.csv": csv([...rowsOf("t", ["x"], 18), ["t y", "y"], ["t z", "z"]]),
  });
  const sizes = (maxSamples: number) => {
    const { train, validation, test } = stratifiedSplit(data, { seed: 3, maxSamples });
    return [
      train.length,
      validation.length,
      test.length,
      new Set(test.map(({ label }) => label)).size,
    ];
  };
  assert.deepEqual(sizes(60), [40, 10, 10, 3]);
  assert.deepEqual(sizes(7), [2, 2, 3, 3]);
  assert.deepEqual(sizes(10_000), [80, 20, 20, 3]);
  assert.throws(
    () => sizes(6),
    (error: unknown) =>
      error instanceof UserError && error.exitCode === 2 && error.remedy?.kind === "moreSamples" &&
      error.remedy.least === 7,
  );
});

Deno.test("empty and one-class data are told in a sentence", async () => {
  await withFolder(async (folder) => {
    const cases: [string, RegExp][] = [
      ["text,label\n", /\.csv has no rows; a classifier needs at least two classes\.$/],
      ["text,label\na,\n", /has no labelled rows; .* Of its 1 row, one was dropped for an empty/],
      ["text,label\na,x\nb,\n,x\n", /has one class, "x"; .* Of its 3 rows, 2 were dropped/],
      [
        "text,class,target\na,c,x\nb,c,y\n",
        /has one class, "c"; .* are those of "class"; there is "target" too\.$/,
      ],
      [
        "text,label\na,x\nb,None\n",
        /has one class, "x".* "None" \(1 row\)\. Where that is a class/,
      ],
    ];
    for (const [text, message] of cases) {
      const dataset = join(folder, "data.csv");
      await Deno.writeTextFile(dataset, text);
      await fails(loadDataset({ dataset, hub }), message);
    }
  });
});

Deno.test("labels that are numbers take the names that a second column or the card gives them", async () => {
  const numbered = [["a", "0", "sad"], ["b", "1.0", "joy"], ["c", "0", "sad"]];
  const table = (rows: string[][]) =>
    ["text,label,label_text", ...rows.map((row) => row.join())].join("\n");
  const named = await load({ "train.csv": table(numbered) });
  assert.deepEqual([named.labels, named.labelNamesFrom], [["joy", "sad"], 'column "label_text"']);
  // A name of two numbers, or two names of a number, is no name.
  for (const other of [["d", "2", "joy"], ["d", "1", "fear"], ["d", "2", ""]]) {
    const { labels, labelNamesFrom } = await load({ "train.csv": table([...numbered, other]) });
    assert.equal(labelNamesFrom, undefined);
    assert.ok(labels.includes("0"));
  }
  const card = [
    "---",
    "license: mit",
    "dataset_info:",
    "  features:",
    "  - name: text",
    "    dtype: string",
    "  - name: label",
    "    dtype:",
    "      class_label:",
    "        names:",
    "          '0': sadness",
    '          "1": joy: the word',
    "  splits:",
    "  - name: train",
    "---",
    "# A card",
  ].join("\n");
  const data = "text,label\na,0\nb,1\nc,-1\n";
  const fromCard = await load({ "train.csv": data, "README.md": card });
  assert.deepEqual(fromCard.labels, ["joy: the word", "sadness"]);
  assert.deepEqual([fromCard.labelNamesFrom, fromCard.emptyRows], ["README.md", 1]);
  // Of a repository on the hub the card is fetched with the data, and found again without the hub.
  const repository = {
    revision: "0123456789abcdef0123456789abcdef01234567",
    files: { "train.csv": data, "test.csv": "text,label\nd,1\n", "README.md": card },
  };
  await withFakeHub({ "datasets/org/data": repository }, async (_, settings) => {
    for (const hub of [settings, { ...settings, offline: true }]) {
      const { labels, given } = await loadDataset({ dataset: "org/data", hub });
      assert.deepEqual(labels, ["joy: the word", "sadness"]);
      assert.deepEqual(given, { train: 2, validation: 0, test: 1 });
    }
  });
  // With the training part alone in the cache, the way out is told.
  await withFakeHub({ "datasets/org/data": repository }, async (_, settings) => {
    await loadDataset({ dataset: "org/data", splitBy: "ratio", hub: settings });
    const offline = { dataset: "org/data", hub: { ...settings, offline: true } };
    await fails(
      loadDataset(offline),
      /holds the training part, and not test\.csv\. HF_HUB_OFFLINE/,
    );
    assert.equal((await loadDataset({ ...offline, splitBy: "ratio" })).examples.length, 2);
  });
  const infos = { default: { features: { label: { names: ["no", "yes"], _type: "ClassLabel" } } } };
  const fromInfos = await load({ "train.csv": data, "dataset_infos.json": JSON.stringify(infos) });
  assert.deepEqual(fromInfos.labels, ["no", "yes"]);
  // Fewer names than numbers name none, in any part; and what is damaged names none.
  const others: Record<string, string>[] = [{ "test.csv": "text,label\na,0\nb,7\n" }, {
    "dataset_infos.json": "{",
  }];
  for (const files of others) {
    const beside = {
      "train.csv": "text,label\na,0\nb,1\n",
      "dataset_infos.json": JSON.stringify(infos),
    };
    assert.ok((await load({ ...beside, ...files })).labels.includes("0"));
  }
});
