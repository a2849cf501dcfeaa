/** docs/from_scratch.ts is short, says what the fused kernels and the adapter of models/ compute, and learns. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bottleneck, loraLinear, methods, train } from "../../docs/from_scratch.ts";
import { createDevice, linear, Parameters, type Tensor, withTape } from "../../engine/mod.ts";
import { registerPlan } from "../../engine/plans.ts";
import { norm } from "../../gradcheck/values.ts";
import { Scope } from "../../models/nn/scope.ts";
import { adapterWrapping } from "../../models/peft/adapter.ts";
import { assertClose, randomValues, tensorOf } from "../engine/check.ts";

const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });

/** The result on inputs that train, and each one's gradient for a random upstream gradient. */
async function run(shapes: number[][], forward: (inputs: Tensor[]) => Tensor) {
  device.beginStep(1, 1);
  const inputs = shapes.map((shape, i) => {
    const count = shape.reduce((a, b) => a * b);
    return tensorOf(device, shape, randomValues(count, i + 1), true);
  });
  const { output, backward } = withTape(() => forward(inputs));
  backward(tensorOf(device, output.shape, randomValues(output.size, 50)));
  const tensors = [output, ...inputs.map(({ gradient }) => gradient!)];
  const values = await Promise.all(tensors.map((tensor) => tensor.read()));
  device.endStep();
  return values;
}

async function assertEqual(
  names: string[],
  shapes: number[][],
  plain: (inputs: Tensor[]) => Tensor,
  fused: (inputs: Tensor[]) => Tensor,
) {
  const [actual, expected] = [await run(shapes, plain), await run(shapes, fused)];
  actual.forEach((values, i) => {
    assert.ok(norm(expected[i]) > 0.1, `${names[i]} is zero`);
    assertClose(names[i], values, [...expected[i]], 1e-5);
  });
}

Deno.test("from scratch: LoRA is the fused kernels', forward and in all five gradients", async () => {
  const [rows, inputs, outputs, rank, scale] = [37, 20, 36, 4, 0.7];
  const shapes = [[rows, inputs], [outputs, inputs], [outputs], [rank, inputs], [outputs, rank]];
  await assertEqual(
    ["y", "dx", "dW", "db", "dA", "dB"],
    shapes,
    ([x, ...tensors]) => loraLinear(x, tensors, scale),
    ([x, weight, bias, a, b]) => linear(x, { weight, bias, lora: { a, b, scale, dropout: 0 } }),
  );
});

Deno.test("from scratch: the adapter is that of models/peft/adapter.ts", async () => {
  const [rows, hidden, size] = [13, 24, 8];
  const wrapping = adapterWrapping({ method: "adapter", size, placement: "output" });
  const context = { wrapping, mode: { training: true } };
  const specs = new Map();
  wrapping.pooled!(new Scope({ ...context, specs }), hidden);
  const [down, downBias, up, upBias] = [...specs.keys()];
  const shapes = [down, downBias, up, upBias].map((name) => specs.get(name).shape);
  assert.deepEqual(shapes, [[size, hidden], [size], [hidden, size], [hidden]]);
  await assertEqual(
    ["y", "dh", "ddown", "ddown bias", "dup", "dup bias"],
    [[rows, hidden], ...shapes],
    ([h, ...tensors]) => bottleneck(h, tensors),
    ([h, ...tensors]) => {
      const parameters = {
        get: (name: string) => tensors[[down, downBias, up, upBias].indexOf(name)],
      } as Parameters;
      const scope = new Scope({ ...context, specs: new Map(), parameters });
      return wrapping.pooled!(scope, hidden)(h);
    },
  );
});

Deno.test("from scratch: each method goes on where the base is, learns, and leaves alone what is frozen", async () => {
  const options = { steps: 50, rate: 5e-3 };
  const { losses: before, values: from } = await train(device, methods.full, {
    ...options,
    shift: 0,
  });
  assert.ok(before.at(-1)! < 0.8 * before[0]);
  const moved: Record<string, string> = {};
  const starts: number[] = [];
  for (const [name, method] of Object.entries(methods)) {
    const { losses, trained, values } = await train(device, method, {
      ...options,
      shift: 0.5,
      from,
    });
    assert.equal(losses.length, 50);
    assert.ok(losses.at(-1)! < 0.8 * losses[0], `${name}: ${losses[0]} to ${losses.at(-1)}`);
    assert.equal(trained, { full: 2372, LoRA: 644, adapter: 840 }[name]);
    starts.push(losses[0]);
    moved[name] = Object.keys(from).filter((tensor) =>
      values[tensor].some((value, i) => value !== from[tensor][i])
    ).join("");
  }
  assert.deepEqual(moved, { full: "WbHc", LoRA: "Hc", adapter: "Hc" });
  assert.ok(Math.abs(starts[1] - starts[0]) < 1e-6 && Math.abs(starts[2] - starts[0]) < 0.05);
});

Deno.test("from scratch: at most 150 lines", async () => {
  const path = fileURLToPath(new URL("../../docs/from_scratch.ts", import.meta.url));
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  assert.ok(lines.length <= 150, `${lines.length} lines`);
});
