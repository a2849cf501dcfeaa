/** Labels, names and texts from files command neither a terminal nor a browser, and become no paths. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeReport } from "../../cli/report/write.ts";
import { shortName } from "../../cli/shared/folders.ts";
import { tamed } from "../../cli/shared/terminal.ts";
import { writeComparison } from "../../cli/train/comparison_files.ts";
import { UserError } from "../../models/errors.ts";
import { folderTest, golden, namesIn } from "../files/temporary.ts";
import { runPredict } from "./command.ts";
import { experiment, readJson, tree } from "./experiment.ts";

const nasty = [
  "../../x",
  "<script>alert(1)</script>",
  "\u001b]0;pwned\u0007",
  "a\u202eevil|`b`",
  `${"L".repeat(10_000)}\u0000\n# `,
];

/** What no terminal and no page should get to see. */
// deno-lint-ignore no-control-regex
const obeyed = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

/** Puts the names into all that a run.json says in words. */
function withNames(record: Record<string, unknown>): Record<string, unknown> {
  const all = nasty.join(" ");
  const test = record.test as { per_class: object[] };
  const perClass = test.per_class.map((each, place) => ({ ...each, label: nasty[place] }));
  return {
    ...record,
    label: all,
    config: nasty[1],
    labels: nasty.slice(0, 2),
    notices: nasty,
    warnings: nasty,
    command: nasty,
    model: { ...record.model as object, name: all },
    dataset: { ...record.dataset as object, name: all },
    test: { ...test, per_class: perClass },
  };
}

folderTest(
  "an experiment's files of such names are harmless, and lie within it",
  async (folder) => {
    await experiment(folder, ["--experiment", "e", "--method", "lora", "--rank", "4"]);
    const path = join(folder, "e", "lora-r4", "run.json");
    await Deno.writeTextFile(path, JSON.stringify(withNames(await readJson(path))));
    const before = await tree(folder);
    await writeComparison(join(folder, "e"), "lora-r4");
    await writeReport([join(folder, "e")], join(folder, "e", "comparison.html"));
    assert.deepEqual(await tree(folder), before);
    for (const name of ["comparison.md", "comparison.csv", "comparison.tex", "comparison.html"]) {
      const text = await Deno.readTextFile(join(folder, "e", name));
      assert.match(text, /alert\(1\)/, name);
      assert.doesNotMatch(text, obeyed, name);
      if (!name.endsWith(".csv")) assert.doesNotMatch(text, /<script>alert/, name);
    }
    assert.deepEqual((await namesIn(folder)).sort(), ["e"]);
  },
);

folderTest("what predict prints of such labels commands no terminal", async (folder) => {
  for (const name of await namesIn(golden("lora", "peft"))) {
    await Deno.copyFile(golden("lora", "peft", name), join(folder, name));
  }
  const model = { name: golden("model") };
  await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify({ labels: nasty, model }));
  const text = "a \u001b[31mred\u202e b";
  for (const more of [["--json"], ["--top_k", "5"]]) {
    const { code, stdout, stderr } = await runPredict(["--run", folder, text, ...more]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, obeyed);
    if (more[0] !== "--json") continue;
    const told = JSON.parse(stdout);
    assert.equal(told.text, text); // JSON means what it meant
    assert.deepEqual(Object.keys(told.probabilities).sort(), nasty.toSorted());
  }
});

Deno.test("what is written keeps our own commands to a terminal, and no other's", () => {
  const pipe = { terminal: false, color: false };
  const screen = { terminal: true, color: true };
  const ours = "\r\x1b[Kstep 1\n\x1b[31mError:\x1b[0m\ta\r\n";
  assert.equal(tamed(ours, screen), ours);
  assert.equal(tamed("\r\x1b[Ka\x1b[1mb", pipe), "\\u000d\\u001b[Ka\\u001b[1mb");
  for (
    const other of [
      "\x1b]0;t\x07",
      "\x1b[2J",
      "\x1b[8m",
      "\x9b2J",
      "\x1bc",
      "a\rb",
      "\x00",
      "\u202e",
    ]
  ) {
    assert.doesNotMatch(tamed(other, screen), obeyed);
    assert.equal(JSON.parse(`"${tamed(JSON.stringify(other).slice(1, -1), pipe)}"`), other);
  }
});

Deno.test("an error quotes what it must of a file, on one line", () => {
  const { message } = new UserError(`"${nasty.join("")}" is no name.`);
  assert.doesNotMatch(message, obeyed);
  assert.doesNotMatch(message, /\n/);
  assert.ok(message.length < 2010 && message.endsWith(`is no name.`));
});

Deno.test("a name in an experiment's folder name is letters, digits, dots and hyphens", () => {
  for (const name of [...nasty, "..", "/", "\\..\\..", "", "CON", "a/../../b"]) {
    assert.match(shortName(name), /^(?!\.)[a-z0-9._-]{1,}$/);
    assert.ok(shortName(name).length <= 100, `${shortName(name).length}`);
  }
});
