/** AdamW's protocol: updates in any number and order, its history, and its state taken and put back. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { AdamW, historySlots, setOrAdd } from "../../engine/optimizer.ts";
import { Parameters } from "../../engine/parameters.ts";
import { registerPlan } from "../../engine/plans.ts";
import { upload } from "../../engine/tensor.ts";
import { randomValues } from "./check.ts";

const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });
const options = { weightDecay: 0.01, maxGradNorm: 1 };

/** Two slabs with seeded values: one that decays, one that does not. */
function makeParameters(sizes = [100, 60]): Parameters {
  const parameters = new Parameters(device, [
    { name: "weight", shape: [sizes[0]], decay: true, trainable: true },
    { name: "bias", shape: [sizes[1]], decay: false, trainable: true },
  ]);
  parameters.slabs.forEach(({ value }, i) =>
    device.write(value.storage, 0, Float32Array.from(randomValues(sizes[i], i)))
  );
  return parameters;
}

/** One step: gradients that depend on its number only, a loss in so many parts, the update. */
function step(parameters: Parameters, optimizer: AdamW, number: number, parts = 1): void {
  device.beginStep(0, number);
  for (const { slab, first, size } of parameters.places()) {
    const values = Float32Array.from(randomValues(size, 100 * number + slab));
    device.write(parameters.slabs[slab].gradient.storage, 4 * first, values);
  }
  for (let part = 0; part < parts; part++) {
    const loss = upload(device, [1], Float32Array.of((number + 1) / parts));
    setOrAdd(optimizer.loss, loss, part === 0);
  }
  optimizer.update(1e-2 / (number + 1));
  device.endStep();
}

const valuesOf = async ({ slabs }: Parameters) =>
  (await Promise.all(slabs.map(({ value }) => value.read()))).map((values) => [...values]);

Deno.test("AdamW: a step's loss is the sum of its parts', and no earlier step's", async () => {
  const parameters = makeParameters();
  const optimizer = new AdamW(parameters, options);
  for (const [number, parts] of [3, 1, 2, 1].entries()) step(parameters, optimizer, number, parts);
  const records = await optimizer.readHistory();
  assert.deepEqual(records.map(({ loss }) => loss), [1, 2, 3, 4]);
  assert.deepEqual(
    records.map(({ learningRate }) => learningRate),
    [1, 2, 3, 4].map((number) => Math.fround(1e-2 / number)),
  );
  assert.ok(records.every(({ gradientNorm }) => gradientNorm > 1));
  assert.deepEqual(await optimizer.readHistory(), []);
  optimizer.destroy();
  parameters.destroy();
});

Deno.test("AdamW: updates that are recorded together are made as if one after another", async () => {
  const run = async (between: () => void) => {
    const parameters = makeParameters();
    const optimizer = new AdamW(parameters, options);
    step(parameters, optimizer, 0);
    optimizer.update(1e-2);
    between();
    optimizer.update(1e-3);
    const values = await valuesOf(parameters);
    const records = await optimizer.readHistory();
    optimizer.destroy();
    parameters.destroy();
    return { values, rates: records.map(({ learningRate }) => learningRate) };
  };
  const together = await run(() => {});
  assert.deepEqual(together.rates, [1e-2, 1e-2, 1e-3].map(Math.fround));
  assert.deepEqual(together, await run(() => device.launcher.submit()));
});

Deno.test("AdamW: an update is a list of launches after the first, in a caller's list too", async () => {
  const parameters = makeParameters();
  const optimizer = new AdamW(parameters, options);
  const { launcher } = device;
  let made = 0;
  launcher.launch = (...launch) => {
    made++;
    Object.getPrototypeOf(launcher).launch.apply(launcher, launch);
  };
  try {
    step(parameters, optimizer, 0);
    const { dispatches } = launcher;
    assert.equal(made, 5); // two partial norms, their sum, two slabs
    step(parameters, optimizer, 1);
    assert.deepEqual([made, launcher.dispatches - dispatches], [5, 5]);
    for (let i = 0; i < 2; i++) launcher.repeat(parameters, "step", () => optimizer.update(0.125));
    device.endStep();
    assert.deepEqual((await optimizer.readHistory()).map(({ learningRate }) => learningRate), [
      ...[Math.fround(1e-2), Math.fround(5e-3)],
      ...[0.125, 0.125],
    ]);
  } finally {
    Reflect.deleteProperty(launcher, "launch");
  }
  optimizer.destroy();
  parameters.destroy();
});

Deno.test("AdamW: what was captured goes on bit for bit, in another optimiser", async () => {
  const parameters = makeParameters();
  const optimizer = new AdamW(parameters, options);
  for (let number = 0; number < 3; number++) step(parameters, optimizer, number);
  const [values, state] = await Promise.all([valuesOf(parameters), optimizer.capture()]);
  assert.equal(state.steps, 3);
  for (const { name, size } of parameters.places()) {
    const { mean, variance } = state.moments.get(name)!;
    assert.deepEqual([mean.length, variance.length], [size, size], name);
    assert.ok([mean, variance].every((moments) => moments.some((value) => value !== 0)), name);
  }
  for (let number = 3; number < 6; number++) step(parameters, optimizer, number);
  const expected = await valuesOf(parameters);
  const history = (await optimizer.readHistory()).slice(3);

  const others = makeParameters();
  const other = new AdamW(others, options);
  step(others, other, 7); // whatever it was before
  await other.readHistory();
  other.restore(structuredClone(state));
  others.slabs.forEach(({ value }, i) =>
    device.write(value.storage, 0, Float32Array.from(values[i]))
  );
  for (let number = 3; number < 6; number++) step(others, other, number);
  assert.deepEqual(await valuesOf(others), expected);
  assert.deepEqual(await other.readHistory(), history);
  for (const each of [optimizer, parameters, other, others]) each.destroy();
});

Deno.test("AdamW: a state of other parameters is refused, and nothing of it taken", async () => {
  const parameters = makeParameters();
  const optimizer = new AdamW(parameters, options);
  step(parameters, optimizer, 0);
  const state = await optimizer.capture();
  const larger = makeParameters([100, 600]);
  const other = new AdamW(larger, options);
  step(larger, other, 0);
  const before = await other.capture();
  assert.throws(() => other.restore(state), /moments of \d+ for the 600 values of \w+/);
  const none = { ...state, moments: new Map() };
  assert.throws(() => other.restore(none), /no moments for the \d+ values of \w+/);
  assert.deepEqual(await other.capture(), before);
  for (const each of [optimizer, parameters, other, larger]) each.destroy();
});

Deno.test("AdamW: a history that is never read stops it before it makes a step", async () => {
  const parameters = makeParameters();
  const optimizer = new AdamW(parameters, options);
  for (let number = 0; number < historySlots; number++) step(parameters, optimizer, number);
  const values = await valuesOf(parameters);
  assert.throws(() => optimizer.update(1e-2), /64 steps without reading the history/);
  assert.deepEqual(await valuesOf(parameters), values);
  assert.equal((await optimizer.capture()).steps, historySlots);
  assert.equal((await optimizer.readHistory()).length, historySlots);
  optimizer.update(1e-2);
  device.endStep();
  assert.equal((await optimizer.readHistory()).length, 1);
  optimizer.destroy();
  parameters.destroy();
});
