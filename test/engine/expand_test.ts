/** Unrolling of kernel text. */
import assert from "node:assert/strict";
import { expand } from "../../kernels/expand.ts";

const lines = (...text: string[]) => text.join("\n");

Deno.test("expand: names become values, and text without directives stays", () => {
  assert.equal(
    expand("var c$g_$l: f32; // $ and $1 stay", { g: 2, l: 0 }),
    "var c2_0: f32; // $ and $1 stay",
  );
  assert.equal(expand("", {}), "");
  assert.equal(expand(lines("a", "", "b", ""), {}), lines("a", "", "b", ""));
});

Deno.test("expand: loops repeat, nest, and may be empty", () => {
  const source = lines(
    "//: for i in 0..ROWS",
    "  //: for j in 1..3",
    "  c$i_$j = $ROWS;",
    "  //: end",
    "row $i",
    "//: end",
    "done",
  );
  assert.equal(
    expand(source, { ROWS: 2 }),
    lines("  c0_1 = 2;", "  c0_2 = 2;", "row 0", "  c1_1 = 2;", "  c1_2 = 2;", "row 1", "done"),
  );
  assert.equal(expand(source, { ROWS: 0 }), "done");
  assert.equal(expand(lines("//: for i in 0..2", "//: end", "x"), {}), "x");
});

Deno.test("expand: a condition keeps one of its blocks, in loops too", () => {
  const source = lines(
    "//: for i in 0..3",
    "//: if i",
    "more $i",
    "//: else",
    "//: if B",
    "first, B",
    "//: else",
    "first, not B",
    "//: end",
    "//: end",
    "//: end",
  );
  assert.equal(expand(source, { B: 1 }), lines("first, B", "more 1", "more 2"));
  assert.equal(expand(source, { B: 0 }), lines("first, not B", "more 1", "more 2"));
  assert.equal(expand(lines("//: if A", "a", "//: end"), { A: 0 }), "");
});

Deno.test("expand: mistakes are refused with their line", () => {
  const mistakes: [string, RegExp][] = [
    [lines("a", "b $c"), /line 2: no value for "c"/],
    [lines("//: if C", "//: end"), /line 1: no value for "C"/],
    [lines("//: for i in 0..N", "//: end"), /line 1: no value for "N"/],
    [lines("x", "//: for i of 0..2", "//: end"), /line 2: cannot read "\/\/: for i of 0\.\.2"/],
    [lines("x", "//: for i in 0..2", "y"), /block of line 2 has no end/],
    [lines("//: if A", "y", "//: else", "z"), /block of line 1 has no end/],
    [lines("//: if A", "//: else", "//: else", "//: end"), /block of line 1 has no end/],
    [lines("x", "//: end"), /line 2: block without a start/],
    [lines("//: else"), /line 1: block without a start/],
  ];
  for (const [source, message] of mistakes) {
    assert.throws(() => expand(source, { A: 1 }), message, source);
  }
});
