/** Which files of a folder are which part, by their paths alone. */
import assert from "node:assert/strict";
import { chooseTable, pathsInFolder } from "../../models/data/choose.ts";
import { UserError } from "../../models/errors.ts";

const choose = (...paths: string[]) => {
  const { train, validation, test, notices } = chooseTable(paths, "org/data");
  return [train.join(), validation?.join(), test?.join(), notices.length];
};

Deno.test("parts are told by the words of Hugging Face's repository structure", () => {
  const cases: [string[], ReturnType<typeof choose>][] = [
    [["train.csv", "validation.csv", "test.csv"], ["train.csv", "validation.csv", "test.csv", 0]],
    [["Training.CSV", "Valid.csv", "TESTING.csv"], ["Training.CSV", "Valid.csv", "TESTING.csv", 0]],
    [["train.csv", "dev.csv"], ["train.csv", "dev.csv", undefined, 0]],
    [["train.csv", "val.csv", "evaluation.csv"], ["train.csv", "val.csv", "evaluation.csv", 0]],
    // `eval` is the test, unless there is one.
    [["train.csv", "eval.csv"], ["train.csv", undefined, "eval.csv", 0]],
    [["train.csv", "eval.csv", "test.csv"], ["train.csv", "eval.csv", "test.csv", 0]],
    [["train.csv", "eval.csv", "test.csv", "dev.csv"], ["train.csv", "dev.csv", "test.csv", 0]],
    [
      [
        "data/train-00001-of-00002.parquet",
        "data/test-00000-of-00001-0a1b.parquet",
        "data/train-00000-of-00002.parquet",
        "data/unsupervised-00000-of-00001.parquet",
      ],
      [
        "data/train-00000-of-00002.parquet,data/train-00001-of-00002.parquet",
        undefined,
        "data/test-00000-of-00001-0a1b.parquet",
        0,
      ],
    ],
    // A folder's name tells, and all that lies in it is one table.
    [["train/0.csv", "train/1.csv", "test/0.csv"], [
      "train/0.csv,train/1.csv",
      undefined,
      "test/0.csv",
      0,
    ]],
    [["train.csv", "test/a.csv"], ["train.csv", undefined, "test/a.csv", 0]],
    [["my_train_v2.csv", "my_test_v2.csv"], ["my_train_v2.csv", undefined, "my_test_v2.csv", 0]],
    [["all.csv", "test.csv"], ["all.csv", undefined, "test.csv", 0]],
    // Words within words are none.
    [["latest.csv"], ["latest.csv", undefined, undefined, 0]],
    [["contest.csv", "devices.txt"], ["contest.csv", undefined, undefined, 0]],
    // Parts of another format than train's do where there are no others.
    [["train.csv", "test.jsonl"], ["train.csv", undefined, "test.jsonl", 0]],
    [["train.csv", "test.jsonl", "test.csv"], ["train.csv", undefined, "test.csv", 0]],
  ];
  for (const [paths, expected] of cases) assert.deepEqual(choose(...paths), expected);
});

Deno.test("what may be of another data set is left, and told where it might have been meant", () => {
  assert.deepEqual(choose("a_train.csv", "b_test.csv"), ["a_train.csv", undefined, undefined, 0]);
  assert.deepEqual(choose("en/train.csv", "fr/test.csv"), [
    "en/train.csv",
    undefined,
    undefined,
    0,
  ]);
  // A repository's tests may hold anything.
  assert.deepEqual(choose("mine.csv", "test/a.csv"), ["mine.csv", undefined, undefined, 0]);
  const [train, validation, test, notices] = choose("train.csv", "val.csv", "dev.csv", "test.csv");
  assert.deepEqual([train, validation, test, notices], ["train.csv", undefined, "test.csv", 1]);
  assert.match(
    chooseTable(["train.csv", "val.csv", "dev.csv"], "x").notices[0],
    /^x holds several files that may be its validation data, .*: dev\.csv, val\.csv\.$/,
  );
});

Deno.test("shards that are missing, and several data sets, are errors of every part", () => {
  const fails = (paths: string[], message: RegExp) =>
    assert.throws(
      () => chooseTable(paths, "org/data"),
      (error: unknown) => error instanceof UserError && message.test(error.message),
    );
  fails(["train.csv", "test-00000-of-00002.csv"], /holds 1 of 2 parts .*test-00000/);
  fails(["train.csv", "training.csv"], /several data sets: train\.csv, training\.csv/);
  fails(["en/train.csv", "en/test.csv", "fr/train.csv"], /several data sets: en\/train\.csv, fr/);
});

Deno.test("in a folder of this machine its own files come first", () => {
  assert.deepEqual(pathsInFolder(["a.csv", "results/001/comparison.csv"]), ["a.csv"]);
  assert.deepEqual(pathsInFolder(["README.md", "data/train-00000-of-00001.parquet"]), [
    "README.md",
    "data/train-00000-of-00001.parquet",
  ]);
  assert.deepEqual(pathsInFolder(["test.csv", "train/a.csv"]), ["test.csv", "train/a.csv"]);
  assert.deepEqual(pathsInFolder(["train.csv", "test/a.csv", "other/b.csv", "train/c.csv"]), [
    "train.csv",
    "test/a.csv",
  ]);
  assert.deepEqual(pathsInFolder([".cache/train.csv", "data/train.csv"]), ["data/train.csv"]);
});
