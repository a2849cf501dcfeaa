/** Parameters: stacks lie without gaps, and their members are read and written where they lie. */
import assert from "node:assert/strict";
import { pack } from "../../engine/pack.ts";
import { linear } from "../../engine/ops/mod.ts";
import { Parameters } from "../../engine/parameters.ts";
import { withTape } from "../../engine/tape.ts";
import type { Tensor } from "../../engine/tensor.ts";
import * as reference from "../../gradcheck/reference.ts";
import { assertClose, randomValues, tensorOf } from "./check.ts";
import { device, step } from "./step.ts";

const names = ["query", "key", "value"];
const sizes = { rows: 5, inputs: 12, outputs: 10 };

/** Three layers whose members start where no binding may, and one that stands alone. */
function odd(trainable: boolean): Parameters {
  const { inputs, outputs } = sizes;
  const layer = (name: string) => [
    { name: `${name}.weight`, shape: [outputs, inputs], decay: true, trainable, stack: "*.weight" },
    { name: `${name}.bias`, shape: [outputs], decay: false, trainable, stack: "*.bias" },
  ];
  const alone = { name: "alone", shape: [7], decay: false, trainable };
  return new Parameters(device, [...names.flatMap(layer), alone]);
}

const write = (tensor: Tensor, values: number[]) =>
  device.write(tensor.storage, tensor.offset, Float32Array.from(values));

for (const trainable of [true, false]) {
  Deno.test(`members of a stack are written and read one by one; they train: ${trainable}`, async () => {
    const parameters = odd(trainable);
    const expected = names.flatMap((name, i) => {
      const values = randomValues(sizes.outputs, i + 1);
      write(parameters.get(`${name}.bias`), values);
      return values;
    });
    write(parameters.get("alone"), randomValues(7, 9));
    const whole = parameters.stack(names.map((name) => `${name}.bias`));
    assert.deepEqual(whole.shape, [3, sizes.outputs]);
    assert.deepEqual([...await whole.read()], expected);
    assert.deepEqual([...await parameters.get("key.bias").read()], expected.slice(10, 20));
    const last = parameters.stack(["key.bias", "value.bias"]);
    assert.deepEqual([...await last.read()], expected.slice(10));
    assert.equal(whole.requiresGrad, trainable);
    assert.equal(whole.gradient !== undefined, trainable);
    parameters.destroy();
  });
}

Deno.test("a stack's gradients come to its members", () =>
  step(async () => {
    const { rows, inputs, outputs } = sizes;
    const parameters = odd(true);
    const stackOf = (tensor: string) => parameters.stack(names.map((name) => `${name}.${tensor}`));
    const x = randomValues(rows * inputs, 1);
    const dy = randomValues(3 * rows * outputs, 2);
    const weights = names.map((name, i) => {
      const values = randomValues(outputs * inputs, 3 + i);
      write(parameters.get(`${name}.weight`), values);
      return values;
    });
    parameters.zeroGradients();
    const { output, backward } = withTape(() =>
      linear(tensorOf(device, [rows, inputs], x), {
        weight: stackOf("weight"),
        bias: stackOf("bias"),
      })
    );
    backward(tensorOf(device, output.shape, dy));
    for (const [i, name] of names.entries()) {
      const own = dy.slice(i * rows * outputs, (i + 1) * rows * outputs);
      const zeros = new Array(outputs).fill(0);
      const { gradients: [, dweight, dbias] } = reference.linear(x, weights[i], zeros, own);
      assertClose(name, await parameters.get(`${name}.weight`).gradient!.read(), dweight, 1e-4);
      assertClose(name, await parameters.get(`${name}.bias`).gradient!.read(), dbias, 1e-4);
    }
    assert.ok((await parameters.get("alone").gradient!.read()).every((value) => value === 0));
    parameters.destroy();
  }));

Deno.test("what no kernel can bind, and what is no stack, is refused with the reason", () => {
  const parameters = odd(true);
  assert.throws(
    () => parameters.get("key.bias").binding,
    /A tensor \[10\] at byte \d+, no multiple of 256, cannot be bound: bind the stack/,
  );
  for (
    const [wrong, name] of [
      [["key.bias", "query.bias"], "query.bias"],
      [["query.bias", "value.bias"], "value.bias"],
      [["value.bias", "alone"], "alone"],
    ] as const
  ) {
    assert.throws(() => parameters.stack(wrong), new RegExp(`^Error: ${name} .*one \`stack\``));
  }
  assert.throws(() => parameters.get("missing"), /no parameter "missing"/);
  parameters.destroy();
});

Deno.test("packed members of a stack lie without gaps", async () => {
  const infos = names.map((name) => ({
    name,
    shape: [3, 4],
    decay: true,
    trainable: false,
    packed: "bf16" as const,
    stack: "all",
  }));
  const parameters = new Parameters(device, infos);
  names.forEach((name, i) => {
    const { storage, offset } = parameters.get(name);
    device.write(storage, offset, pack(new Float32Array(12).fill(i + 1), "bf16"));
  });
  const values = [...await parameters.stack(names).read()];
  assert.deepEqual(values, [1, 2, 3].flatMap((value) => new Array(12).fill(value)));
  assert.deepEqual([...await parameters.get("key").read()], new Array(12).fill(2));
  parameters.destroy();
});
