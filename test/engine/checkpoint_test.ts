/** Checkpointed parts of a forward pass: the same bits, less memory, no work that nobody wants. */
import assert from "node:assert/strict";
import { add, dropout, linear, scale, silu, tanh } from "../../engine/ops/mod.ts";
import { checkpoint, noGrad, withTape } from "../../engine/tape.ts";
import { clear, type Tensor } from "../../engine/tensor.ts";
import { parameter, randomValues, tensorOf } from "./check.ts";
import { device, step } from "./step.ts";

type Part = (input: Tensor, run: (input: Tensor) => Tensor) => Tensor;
const plain: Part = (input, run) => run(input);

const weights = [1, 2].map((seed) => parameter(device, [8, 8], seed));
const bias = parameter(device, [8], 3);
const shape = [6, 8];
const block = (weight: Tensor) => (x: Tensor) =>
  add(dropout(silu(linear(dropout(x, 0.2), { weight, bias })), 0.3), x);

/** Two blocks, the second inside a part of its own; every gradient, and the input's where it is wanted. */
function gradients(part: Part, inputTrains: boolean): Promise<number[][]> {
  return step(async () => {
    const trained = [...weights, bias];
    trained.forEach(({ gradient }) => clear(gradient!));
    const x = tensorOf(device, shape, randomValues(48, 4), inputTrains);
    const { output, backward } = withTape(() => {
      const h = scale(part(x, block(weights[0])), 2);
      const y = part(h, (input) => tanh(part(scale(input, 0.5), block(weights[1]))));
      return add(y, dropout(h, 0.4));
    });
    const site = device.dropoutSite;
    backward(tensorOf(device, shape, randomValues(48, 5)));
    assert.equal(device.dropoutSite, site, "what comes next draws from sites of its own");
    assert.equal(x.gradient !== undefined, inputTrains);
    const all = [output, ...trained.map(({ gradient }) => gradient!)];
    if (x.gradient) all.push(x.gradient);
    return await Promise.all(all.map(async (tensor) => [...await tensor.read()]));
  });
}

for (const inputTrains of [true, false]) {
  Deno.test(`checkpoints, one in another, change no bit; the input trains: ${inputTrains}`, async () => {
    const expected = await gradients(plain, inputTrains);
    assert.deepEqual(await gradients(checkpoint, inputTrains), expected);
    assert.ok(expected.every((values) => values.some((value) => value !== 0)));
  });
}

Deno.test("the tape holds a checkpoint's input and result only, and gives them back", () =>
  step(() => {
    const layers = 10;
    const x = tensorOf(device, shape, randomValues(48, 1), true);
    const before = device.memory.mark().size;
    const { backward } = withTape(() => {
      let h: Tensor = x;
      for (let i = 0; i < layers; i++) h = checkpoint(h, (h) => silu(tanh(scale(h, 1.1))));
      return h;
    });
    assert.equal(device.memory.mark().size, before + layers);
    backward();
    // The result and the gradient of x.
    assert.equal(device.memory.mark().size, before + 2);
    return Promise.resolve();
  }));

Deno.test("a checkpoint in which nothing wants a gradient is not run again", () =>
  step(() => {
    const frozen = tensorOf(device, [8, 8], randomValues(64, 1));
    const zeros = tensorOf(device, [8], randomValues(8, 2));
    const x = tensorOf(device, shape, randomValues(48, 3));
    let runs = 0;
    const before = device.memory.mark().size;
    const { output, backward } = withTape(() =>
      checkpoint(x, (x) => {
        runs++;
        return silu(linear(x, { weight: frozen, bias: zeros }));
      })
    );
    assert.equal(output.requiresGrad, false);
    assert.equal(device.memory.mark().size, before + 1);
    backward();
    assert.equal(runs, 1);
    return Promise.resolve();
  }));

Deno.test("a checkpoint whose result is not used is not run again; without a tape it runs once", () =>
  step(async () => {
    const x = tensorOf(device, shape, randomValues(48, 3), true);
    let runs = 0;
    const part = (x: Tensor) => {
      runs++;
      return tanh(scale(x, 2));
    };
    const { backward } = withTape(() => {
      checkpoint(x, part);
      return scale(x, 3);
    });
    backward();
    assert.deepEqual([...await x.gradient!.read()], Array(48).fill(3));
    const before = device.memory.mark().size;
    assert.equal(noGrad(() => checkpoint(x, part)).requiresGrad, false);
    assert.equal(device.memory.mark().size, before + 1);
    assert.equal(runs, 2);
  }));
