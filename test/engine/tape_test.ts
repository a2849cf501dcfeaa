/** The tape: sums of gradients, and what is not computed. */
import assert from "node:assert/strict";
import { rowIndex } from "../../engine/ops/embedding.ts";
import {
  add,
  embedding,
  gelu,
  layerNorm,
  linear,
  relu,
  scale,
  silu,
  tanh,
} from "../../engine/ops/mod.ts";
import { noGrad, scope, withTape } from "../../engine/tape.ts";
import { clear, persistent } from "../../engine/tensor.ts";
import { columnSums, functions, product } from "../../gradcheck/reference.ts";
import { assertClose, parameter, randomValues, tensorOf } from "./check.ts";
import { device, step } from "./step.ts";

Deno.test("a tensor with three consumers gets the sum of their gradients", () =>
  step(async () => {
    const values = randomValues(30, 1);
    const dy = randomValues(30, 2);
    const x = tensorOf(device, [5, 6], values, true);
    const { backward } = withTape(() => {
      const h = scale(x, 2);
      return add(add(tanh(h), scale(h, 3)), silu(h));
    });
    backward(tensorOf(device, [5, 6], dy));
    assertClose(
      "dx",
      await x.gradient!.read(),
      values.map((v, i) => 2 * dy[i] * (functions.tanh.df(2 * v) + 3 + functions.silu.df(2 * v))),
    );
  }));

for (const shared of [false, true]) {
  const how = shared ? "beside a gradient that others share" : "to an input's gradient in place";
  Deno.test(`a linear layer's backward pass adds ${how}`, () =>
    step(async () => {
      const [values, w, dy] = [1, 2, 3].map((seed) => randomValues([12, 16, 12][seed - 1], seed));
      const x = tensorOf(device, [3, 4], values, true);
      const weight = tensorOf(device, [4, 4], w, true);
      const factor = shared ? 1 : 3;
      const { backward } = withTape(() => {
        const h = scale(x, 2);
        const y = linear(h, { weight, bias: tensorOf(device, [4], [1, 2, 3, 4]) });
        // Unscaled, h's gradient and y's are one buffer when the layer's turn comes.
        return add(h, shared ? y : scale(y, factor));
      });
      const upstream = tensorOf(device, [3, 4], dy);
      const before = device.launcher.dispatches;
      backward(upstream);
      // dW, dx, scale, and the leaf's sum; and a sum of h's two gradients, or the scale of y's.
      assert.equal(device.launcher.dispatches - before, 5);
      const through = product(dy, w, [3, 4, 4]);
      const expected = dy.map((value, i) => 2 * (value + factor * through[i]));
      assertClose("dx", await x.gradient!.read(), expected);
      const dW = product(dy, values, [4, 3, 4], "TN").map((value) => 2 * factor * value);
      assertClose("dW", await weight.gradient!.read(), dW);
    }));
}

Deno.test("a tensor that one operation takes twice gets its gradient twice", () =>
  step(async () => {
    const dy = randomValues(8, 2);
    for (const inside of [false, true]) {
      const x = tensorOf(device, [8], randomValues(8, 1), true);
      const { backward } = withTape(() => {
        const h = inside ? scale(x, 3) : x;
        return add(h, h);
      });
      backward(tensorOf(device, [8], dy));
      const factor = inside ? 6 : 2;
      assertClose(`inside: ${inside}`, await x.gradient!.read(), dy.map((value) => factor * value));
    }
  }));

Deno.test("without an upstream gradient, backward starts from ones", () =>
  step(async () => {
    const x = tensorOf(device, [3], [1, 2, 3], true);
    withTape(() => scale(x, 4)).backward();
    assert.deepEqual([...await x.gradient!.read()], [4, 4, 4]);
  }));

Deno.test("a branch that the result does not use costs nothing and changes nothing", () =>
  step(async () => {
    const x = tensorOf(device, [4], [1, 2, 3, 4], true);
    const { backward } = withTape(() => {
      const h = scale(x, 2);
      gelu(h);
      return relu(h);
    });
    const before = device.launcher.dispatches;
    backward(tensorOf(device, [4], [1, -1, 2, -2]));
    assert.equal(device.launcher.dispatches - before, 3); // relu, scale, and the leaf's sum
    assert.deepEqual([...await x.gradient!.read()], [2, -2, 4, -4]);
  }));

Deno.test("a weight that an operation computed gets its gradient back to its source", () =>
  step(async () => {
    const [x, w, b, dy] = [1, 2, 3, 4].map((seed) => randomValues([12, 8, 2, 6][seed - 1], seed));
    const weight = tensorOf(device, [2, 4], w, true);
    const { backward } = withTape(() => {
      const half = scale(weight, 0.5);
      const y = linear(tensorOf(device, [3, 4], x), {
        weight: half,
        bias: tensorOf(device, [2], b),
      });
      const bias = tensorOf(device, [2], b);
      return add(y, linear(tensorOf(device, [3, 4], x), { weight: half, bias }));
    });
    backward(tensorOf(device, [3, 2], dy));
    // Both uses have dW = dyᵀ x; the factor ½ makes the sum of the two dyᵀ x again.
    assertClose("dW", await weight.gradient!.read(), product(dy, x, [2, 3, 4], "TN"));
  }));

Deno.test("noGrad and a forward pass without a tape record nothing", () =>
  step(async () => {
    const x = tensorOf(device, [4], [1, 2, 3, 4], true);
    assert.equal(relu(x).requiresGrad, false);
    const { output, backward } = withTape(() => noGrad(() => relu(scale(x, 2))));
    assert.equal(output.requiresGrad, false);
    const before = device.launcher.dispatches;
    backward();
    assert.equal(device.launcher.dispatches, before);
    assert.equal(x.gradient, undefined);
    const other = tensorOf(device, [4], [1, 2, 3, 4], true);
    const taped = withTape(() => add(noGrad(() => scale(other, 5)), scale(other, 2)));
    taped.backward();
    assert.deepEqual([...await other.gradient!.read()], [2, 2, 2, 2]);
  }));

Deno.test("a scope keeps on the tape what its backward pass needs", () =>
  step(async () => {
    const values = randomValues(8, 1);
    const x = tensorOf(device, [8], values, true);
    const { backward } = withTape(() => {
      const y = scope(device, () => tanh(scale(x, 2)));
      return add(y, scope(device, () => relu(scale(x, -3))));
    });
    backward();
    assertClose(
      "dx",
      await x.gradient!.read(),
      values.map((v) => 2 * functions.tanh.df(2 * v) - 3 * functions.relu.df(-3 * v)),
    );
  }));

Deno.test("an exception inside a forward pass leaves no tape behind", () =>
  step(() => {
    const x = tensorOf(device, [4], [1, 2, 3, 4], true);
    assert.throws(() => withTape(() => add(x, tensorOf(device, [2], [1, 2]))), /Cannot add/);
    assert.equal(relu(x).requiresGrad, false);
    return Promise.resolve();
  }));

Deno.test("backward stops below the lowest trainable tensor; frozen weights cost nothing", () =>
  step(() => {
    const frozen = (shape: number[], seed: number) => {
      const tensor = parameter(device, shape, seed, false);
      tensor.requiresGrad = false;
      return tensor;
    };
    const w = [0, 1, 2].map((layer) => frozen([20, 20], layer + 1));
    const b = [0, 1, 2].map((layer) => frozen([20], layer + 4));
    w[1].requiresGrad = true;
    w[1].gradient = persistent(device, [20, 20]);
    const { backward } = withTape(() => {
      let h = tensorOf(device, [6, 20], randomValues(120, 9));
      for (const layer of [0, 1, 2]) {
        h = gelu(linear(h, { weight: w[layer], bias: b[layer] }));
      }
      return h;
    });
    const seed = tensorOf(device, [6, 20], randomValues(120, 10));
    const { dispatches } = device.launcher;
    const { heldBytes } = device.memory;
    backward(seed);
    // gelu, dx of layer 2, gelu, dW of layer 1: neither layer 1's dx nor anything of layer 0.
    assert.equal(device.launcher.dispatches - dispatches, 4);
    assert.ok(
      device.memory.heldBytes - heldBytes <= 2 * 512,
      "a gradient buffer for frozen weights",
    );
    for (const tensor of [w[0], w[2], ...b]) assert.equal(tensor.gradient, undefined);
    return Promise.resolve();
  }));

Deno.test("a gradient that nobody wants is given back", () =>
  step(() => {
    const [x, residual] = [1, 2].map((seed) =>
      tensorOf(device, [4, 16], randomValues(64, seed), seed === 1)
    );
    const { backward } = withTape(() => silu(add(x, residual)));
    const seed = tensorOf(device, [4, 16], randomValues(64, 4));
    const inUse = device.memory.mark().size;
    backward(seed);
    // Gone: the sum and the seed. New: the gradient of x.
    assert.equal(device.memory.mark().size, inUse - 2 + 1);
    assert.equal(residual.gradient, undefined);
    return Promise.resolve();
  }));

Deno.test("gradient buffers add up over two backward passes, and stay the optimiser's", async () => {
  const w = parameter(device, [8, 12], 1);
  const b = parameter(device, [8], 2);
  const table = parameter(device, [5, 12], 3);
  const gamma = parameter(device, [12], 4, false);
  const shift = parameter(device, [3, 8], 5); // no weight of a product: the tape itself adds its gradient
  const loraA = parameter(device, [5, 12], 6);
  const loraB = parameter(device, [8, 5], 7);
  const parameters = [w, b, table, gamma, shift, loraA, loraB];
  const buffers = parameters.map(({ gradient }) => gradient);
  const ids = Uint32Array.from([1, 4, 1]);
  const beta = persistent(device, [12]);
  const pass = (seed: number) =>
    step(() => {
      const { backward } = withTape(() => {
        const rows = layerNorm(embedding(table, rowIndex(device, ids)), gamma, beta, 1e-5);
        const lora = { a: loraA, b: loraB, scale: 2, dropout: 0 };
        const layer = { weight: w, bias: b };
        return add(add(linear(rows, layer), linear(rows, { ...layer, lora })), shift);
      });
      backward(tensorOf(device, [3, 8], randomValues(24, seed)));
      return Promise.resolve();
    });
  const read = () => Promise.all(parameters.map(({ gradient }) => gradient!.read()));
  await pass(20);
  const first = await read();
  await pass(21);
  const both = await read();
  parameters.forEach(({ gradient }) => clear(gradient!));
  await pass(21);
  const second = await read();
  parameters.forEach(({ gradient }, i) => {
    if (buffers[i]) assert.equal(gradient, buffers[i]);
    assertClose(`parameter ${i}`, both[i], [...first[i]].map((value, j) => value + second[i][j]));
  });
  assertClose("bias", first[1], columnSums(randomValues(24, 20), 8).map((value) => 2 * value));
  assertClose("shift", first[4], randomValues(24, 20));
});
