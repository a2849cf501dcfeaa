/** The formulas of the page point into the sources as they are: a function or a line that is renamed fails here. */
import assert from "node:assert/strict";
import { excerptOf } from "../../web/lab/excerpt.ts";
import { excerptsOf, formulas, partsOf } from "../../web/lab/formulas/mod.ts";
import { sources } from "../../web/lab/formulas/sources.ts";

Deno.test("every part of every formula has its lines in TypeScript, and in WGSL where a kernel computes it", () => {
  const used = new Set<string>();
  const without: string[] = [];
  for (const formula of formulas) {
    const parts = partsOf(formula);
    assert.equal(new Set(parts.map(({ text }) => text)).size, parts.length, formula.name);
    for (const part of parts) {
      const excerpts = excerptsOf(part);
      for (const { path, stretches } of excerpts) {
        const lines = stretches.flat();
        const marked = lines.filter((line) => line.marked);
        used.add(path);
        assert.ok(marked.length > 0, `${part.text}: nothing of ${path} is marked`);
        assert.ok(lines.length <= 24, `${part.text}: ${lines.length} lines of ${path}`);
        const source = sources[path as keyof typeof sources].split("\n");
        for (const { number, text } of lines) assert.equal(source[number - 1].trim(), text.trim());
      }
      const has = (end: string) => excerpts.some(({ path }) => path.endsWith(end));
      assert.ok(has(".ts"), part.text);
      if (!has(".wgsl")) without.push(`${formula.name}: ${part.text}`);
    }
  }
  assert.deepEqual(without, ["LoRA's gradients: none", "Adapter: dy"]);
  assert.deepEqual(
    [...used].sort(),
    Object.keys(sources).sort(),
    "no source is carried for nothing",
  );
});

const source = `
@compute @workgroup_size(64)
fn forward(
  id: u32,
) { // one row
  let x = 1;
  y[id] = x;
}

fn other() -> f32 { return 1; }
fn open() {
  let x = 1;
`;

Deno.test("an excerpt is a whole function, outdented, with the lines that were asked for marked", () => {
  const place = { path: "a.wgsl", block: "fn forward(", marks: ["y[id]"] };
  const [lines, ...more] = excerptOf(source, place).stretches;
  assert.deepEqual(more, []);
  assert.deepEqual(lines.map(({ number, marked }) => [number, marked]), [
    ...[2, 3, 4, 5, 6].map((number) => [number, false]),
    [7, true],
    [8, false],
  ]);
  const inner = { path: "a.wgsl", block: "let x = 1;\n".trim(), marks: [] };
  assert.throws(() => excerptOf(source, inner), {
    message: 'a.wgsl has 2 lines with "let x = 1;".',
  });
  const one = excerptOf(source, { path: "a.wgsl", block: "fn other()", marks: ["return"] });
  assert.deepEqual(one.stretches.flat().map(({ text }) => text), [
    "fn other() -> f32 { return 1; }",
  ]);
});

Deno.test("a long function is shown at its ends and around its marks", () => {
  const body = Array.from({ length: 40 }, (_, i) => `  step${i}();`);
  const text = ["function f() {", ...body, "}"].join("\n");
  const place = { path: "f.ts", block: "function f(", marks: ["step20("] };
  const numbers = excerptOf(text, place).stretches.map((lines) =>
    lines.map(({ number }) => number)
  );
  assert.deepEqual(numbers, [[1, 2], [20, 21, 22, 23, 24], [42]]);
});

Deno.test("a function or a line that is not there is told by its source's name", () => {
  const refuse = (block: string, mark: string, message: string) =>
    assert.throws(() => excerptOf(source, { path: "a.wgsl", block, marks: [mark] }), { message });
  refuse("fn backward(", "", 'a.wgsl has no lines with "fn backward(".');
  refuse("fn forward(", "dy[", 'a.wgsl: "fn forward(" has no line with "dy[".');
  refuse("fn open(", "", 'a.wgsl: what begins with "fn open(" has no end.');
});
