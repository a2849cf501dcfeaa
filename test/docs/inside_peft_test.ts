/** docs/inside-peft.md says what the code does: its numbers, its quotations, its table, its claim about A. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withLaunches } from "../../bench/launches.ts";
import { withLines } from "../../docs/lines.ts";
import { createDevice, linear, withTape } from "../../engine/mod.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { countParameters, type Method, methods } from "../../models/peft/methods.ts";
import { randomValues, tensorOf } from "../engine/check.ts";

const root = new URL("../../", import.meta.url);
const text = (path: string) => Deno.readTextFile(fileURLToPath(new URL(path, root)));
const document = await text("docs/inside-peft.md");

const lora = (rank: number, use_dora = false) => methods.lora.plan({ rank: [rank], use_dora })[0];
const adapter = (adapter_placement: "shared" | "output" | "pfeiffer" | "houlsby" | "parallel") =>
  methods.adapter.plan({ size: [64], adapter_placement })[0];

const rows: Record<string, Method> = {
  "full": { method: "full" },
  "LoRA, r = 4": lora(4),
  "LoRA, r = 8": lora(8),
  "LoRA, r = 16": lora(16),
  "DoRA, r = 8": lora(8, true),
  "adapter 64, `shared`": adapter("shared"),
  "adapter 64, `output`": adapter("output"),
  "adapter 64, `pfeiffer`": adapter("pfeiffer"),
  "adapter 64, `houlsby`": adapter("houlsby"),
  "adapter 64, `parallel`": adapter("parallel"),
  "IA³": methods.ia3.plan({})[0],
};

/** The value of a sum of products, such as `2 × (3 + 4)`. */
function valueOf(expression: string): number {
  const code = expression.replaceAll("×", "*");
  assert.match(code, /^[\d+*() ]+$/);
  return new Function(`return ${code}`)();
}

const numberOf = (cell: string) => Number(cell.replaceAll(",", ""));

Deno.test("inside PEFT: the arithmetic of every method is what is counted, for bert-base", () => {
  const classes = 13;
  const classifier = 768 * classes + classes;
  assert.ok(document.includes("768 × 13 + 13 = 9,997"));
  assert.equal(classifier, 9997);
  const section = /## What trains, in numbers([\s\S]*?)\n## /.exec(document)![1];
  const cells = [...section.matchAll(/^\|(.*)\|$/gm)].slice(2).map(([, row]) =>
    row.split("|").map((cell) => cell.trim())
  );
  assert.deepEqual(cells.map(([name]) => name), Object.keys(rows));
  for (const [name, expression, added, trainable] of cells) {
    assert.equal(valueOf(expression), numberOf(added), name);
    assert.equal(numberOf(added) + classifier, numberOf(trainable), name);
    const counted = countParameters(bertBaseUncased, rows[name], classes);
    assert.equal(counted.trainable, numberOf(trainable), name);
  }
  const { percent } = countParameters(bertBaseUncased, rows["LoRA, r = 8"], classes);
  assert.ok(document.includes(`LoRA of rank 8 trains ${percent.toFixed(2)} % of bert-base`));
});

Deno.test("inside PEFT: every quotation stands where its link says; deno task docs:lines puts it right", async () => {
  assert.equal(await withLines(document, text), document);
  const links = document.match(/\]\(\.\.\/[\w./]+#L/g)!.length;
  assert.ok(links >= 15);
  let quoted = 0;
  await withLines(document, (path) => (quoted++, text(path)));
  assert.equal(quoted, links, "links to lines without a quotation below");
});

Deno.test("inside PEFT: a quotation that moved gets its new lines; one that is gone is an error", async () => {
  const page = (place: string, quotation: string) =>
    `See [a/b.ts#${place}](../a/b.ts#${place}):\n\n\`\`\`ts\n${quotation}\n\`\`\`\nend\n`;
  const source = "// one\nif (x) {\n  two();\n  three();\n}\ntwo();\n";
  const read = () => Promise.resolve(source);
  assert.equal(
    await withLines(page("L9", "two();\nthree();"), read),
    page("L3-L4", "two();\nthree();"),
  );
  assert.equal(await withLines(page("L3-L4", "// one"), read), page("L1", "// one"));
  await assert.rejects(withLines(page("L1", "four();"), read), /a\/b\.ts has these lines nowhere/);
  await assert.rejects(withLines(page("L1", "two();"), read), /has these lines 2 times/);
});

Deno.test("inside PEFT: the launches are those of a step; deno task bench:launches writes them", async () => {
  const device = await createDevice();
  const table = (page: string) =>
    /<!-- launches:start -->([\s\S]*)<!-- launches:end -->/.exec(page)![1];
  assert.equal(table(withLaunches(document, device)), table(document));
  assert.match(table(document), /multiply-adds of products, 10⁹ [|\d. ]* 97\.87 \| +64\.57 \|/);
  device.destroy();
});

Deno.test("inside PEFT: with B at zero, A has no gradient and B has one", async () => {
  const device = await createDevice();
  device.beginStep(0, 0);
  const [rows, inputs, outputs, rank] = [24, 16, 20, 4];
  const values = (count: number, seed: number) => randomValues(count, seed);
  const x = tensorOf(device, [rows, inputs], values(rows * inputs, 1));
  const weight = tensorOf(device, [outputs, inputs], values(outputs * inputs, 2));
  const a = tensorOf(device, [rank, inputs], values(rank * inputs, 3), true);
  const b = tensorOf(device, [outputs, rank], new Array(outputs * rank).fill(0), true);
  const { output, backward } = withTape(() =>
    linear(x, { weight, lora: { a, b, scale: 2, dropout: 0.1 } })
  );
  backward(tensorOf(device, output.shape, values(rows * outputs, 4)));
  const [da, db] = await Promise.all([a.gradient!.read(), b.gradient!.read()]);
  device.endStep();
  assert.ok(da.every((value) => value === 0));
  assert.ok(db.every((value) => value !== 0));
  device.destroy();
});
