/** CONTRIBUTING.md says where LoRA is to be read: the list is true, and short enough to be read. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const text = (path: string) => Deno.readTextFile(fileURLToPath(new URL(path, root)));

/** The rows `| [path](path) | lines | … |` of the section. */
function rowsOf(contributing: string): { path: string; lines: number }[] {
  const section = /^## Where LoRA is$([\s\S]*?)^## /m.exec(contributing)?.[1] ?? "";
  return [...section.matchAll(/^\| \[`?([^`\]]+)`?\]\(([^)]+)\)\s*\|\s*(\d+) \|/gm)].map(
    ([, name, path, lines]) => {
      assert.equal(name, path);
      return { path, lines: Number(lines) };
    },
  );
}

Deno.test("LoRA is read in at most 300 lines of at most five files, as CONTRIBUTING says", async () => {
  const rows = rowsOf(await text("CONTRIBUTING.md"));
  assert.ok(rows.length > 0 && rows.length <= 5, `${rows.length} files`);
  for (const { path, lines } of rows) {
    assert.equal((await text(path)).trimEnd().split("\n").length, lines, path);
  }
  const total = rows.reduce((sum, { lines }) => sum + lines, 0);
  assert.ok(total <= 300, `${total} lines`);
});

Deno.test("the way leads from formula over operation and kernels to gradient", async () => {
  const rows = rowsOf(await text("CONTRIBUTING.md"));
  const all = (await Promise.all(rows.map(({ path }) => text(path)))).join("\n");
  for (
    const landmark of [
      "y = x Wᵀ + b", // the formula
      "export function linear(", // the operation, and how it takes LoRA's part in
      "export function lowRank(",
      "fn project(", // u = s · dropout(x) Aᵀ
      "fn output_gradient(", // du
      "fn input_gradient(", // dx
      "dloraA[", // dA
      "dloraB", // dB
    ]
  ) assert.ok(all.includes(landmark), landmark);
});
