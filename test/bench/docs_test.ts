import assert from "node:assert/strict";
import { markdownTable, replaceSection } from "../../bench/markdown.ts";
import { performanceSection } from "../../bench/performance.ts";
import { resultsIn } from "../../bench/schema.ts";
import { kernelResult, peerResult, stepResult, torchResult } from "./results.ts";

const kept = [
  { file: "some-gpu-steps.json", result: stepResult },
  { file: "some-gpu-kernels.json", result: kernelResult },
  { file: "some-gpu-peers.json", result: peerResult },
  { file: "torch-512.json", result: torchResult },
];

Deno.test("the section is the same the second time, and the rest of the document stays", () => {
  const before =
    "# Title\n\ntext\n\n<!-- performance:start -->\nold\n<!-- performance:end -->\n\nend\n";
  const lines = performanceSection(kept);
  const once = replaceSection(before, "performance", lines);
  assert.equal(replaceSection(once, "performance", lines), once);
  assert.ok(once.startsWith("# Title\n\ntext\n\n<!-- performance:start -->\n\n### Some GPU"));
  assert.ok(once.endsWith("|\n\n<!-- performance:end -->\n\nend\n"));
  assert.ok(!once.includes("old"));
  assert.throws(() => replaceSection("# Title\n", "performance", lines), /performance:start/);
});

Deno.test("the section names command and machine, and has the rows that matter", () => {
  const text = performanceSection(kept).join("\n");
  for (const command of ["bench`", "bench:step`", "bench:peers`"]) {
    assert.ok(text.includes(`\`deno task ${command}`), command);
  }
  assert.match(text, /On 2 cores of Some CPU/);
  assert.match(text, /\| matmul\.NT +\| 384×768×768 +\|/);
  assert.ok(!text.includes("cross_entropy"));
  assert.match(text, /\.\.\/bench\/results\/some-gpu-steps\.svg/);
});

Deno.test("PyTorch's steps stand beside ours of the same kind", () => {
  const text = performanceSection(kept).join("\n");
  assert.match(
    text,
    /\| base lora, 16 × emotion \| 2\.15\.0, .* 60\.0 ms \| +12\.0 ms \| +5\.00 \|/,
  );
  assert.ok(!performanceSection(kept.slice(0, 3)).join("\n").includes("PyTorch"));
  const other = { ...torchResult, machine: { ...torchResult.machine, processor: "Another CPU" } };
  const beside = performanceSection([...kept.slice(0, 3), { file: "torch.json", result: other }]);
  assert.ok(!beside.join("\n").includes("2.15.0"), "PyTorch of another machine");
});

Deno.test("no results make an empty section", () => {
  assert.deepEqual(performanceSection([]), []);
  const markers = "<!-- x:start -->\n\n<!-- x:end -->\n";
  assert.equal(replaceSection(markers, "x", []), markers);
});

Deno.test("a document of several results is taken apart", () => {
  const document = {
    kind: "gpu",
    version: 1,
    probe: {},
    kernels: kernelResult,
    dawn: { kind: "gpu", version: 1, probe: {}, kernels: kernelResult },
    torch: torchResult,
  };
  assert.deepEqual(resultsIn(document, "gpu.json").map(({ kind }) => kind), [
    "kernels",
    "kernels",
    "steps",
  ]);
});

Deno.test("a Markdown table is aligned as the formatter leaves it", () => {
  assert.deepEqual(markdownTable([{ title: "A" }, { title: "n", right: true }], [["b|c", "1"]]), [
    "| A    |   n |",
    "| ---- | --: |",
    "| b\\|c |   1 |",
  ]);
});
