/** Names of folders: cut where they are too long, refused where a file system would. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { fittedName, nameProblem } from "../../cli/shared/file_names.ts";
import { parseFolderName } from "../../cli/shared/flag_values.ts";
import { newExperiment } from "../../cli/shared/folders.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { planRuns } from "../../cli/train/plan.ts";
import { withFolder } from "../files/temporary.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

Deno.test("a long name is cut at a character and told apart by a digest", () => {
  assert.equal(fittedName("lora-r8"), "lora-r8");
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 60 }), (text) => {
    const name = fittedName(text, 60);
    assert.ok(bytesOf(name) <= 60, name);
    assert.ok(name.isWellFormed());
  }));
  const [one, other] = ["a", "b"].map((end) => fittedName("x".repeat(300) + end));
  assert.notEqual(one, other);
  assert.match(one, /^x{171}-[0-9a-f]{8}$/);
  assert.match(fittedName(`${"é".repeat(20)}+query`, 40), /^é{15}-[0-9a-f]{8}$/);
});

Deno.test("names that a file system here or elsewhere refuses are told why", () => {
  for (const name of ["a", "a.b", "tag 1", "été", "a-b_c+d", "console", "com10"]) {
    assert.equal(nameProblem(name), undefined, name);
  }
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["a/b", /separator/],
    ["a\\b", /separator/],
    [".hidden", /starts with a dot/],
    ["..", /starts with a dot/],
    [" a", /starts with a dot or a space/],
    ["a ", /ends with a space/],
    ["a.", /ends with a dot/],
    ["a:b", /a :, which Windows/],
    ["what?", /a \?, which Windows/],
    ["a\nb", /control character/],
    ["a\x9bb", /control character/],
    ["a\u202Eb", /control character/],
    ["NUL", /device/],
    ["com1.txt", /device/],
    ["é".repeat(100), /200 bytes, and 180/],
  ];
  for (const [name, problem] of cases) assert.match(nameProblem(name) ?? "", problem, name);
  assert.throws(
    () => parseFolderName("n".repeat(300)),
    /^Error: "n{40}…" cannot be a folder's name: it has 300 bytes, .* --output_dir says/,
  );
});

Deno.test("names of runs and experiments fit a file system, whatever their parts are", async () => {
  const targets = Array.from({ length: 60 }, (_, layer) => `layer.${layer}.attention.self.query`);
  const parsed = parseFlags([
    ...["--method", "lora", "--rank", "4,8", "--seeds", "1,4294967295"],
    ...["--learning_rate", "shared,tune", "--lora_target_modules", targets.join()],
  ]);
  assert.ok(parsed.kind === "flags");
  const names = planRuns(parsed.flags).runs.map(({ name }) => name);
  assert.equal(new Set(names).size, 8);
  for (const name of names) assert.ok(name.length <= 180 && name.startsWith("lora-r"), name);
  await withFolder(async (folder) => {
    const made = await newExperiment(
      folder,
      `org/${"m".repeat(200)}`,
      `/data/${"d".repeat(240)}.csv`,
    );
    assert.ok(made.startsWith(join(folder, "001-mmm")) && made.length - folder.length < 180);
  });
});
