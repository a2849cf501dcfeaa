/** The engine's public face: a model trains through it alone. */
import assert from "node:assert/strict";
import * as engine from "../../engine/mod.ts";

const { AdamW, createDevice, crossEntropy, linear, Parameters, registerPlan, relu } = engine;
const { setOrAdd, upload, withTape } = engine;

Deno.test("engine/mod.ts is enough to train a network that tells two classes apart", async () => {
  const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });
  const parameters = new Parameters(device, [
    { name: "hidden", shape: [8, 4], decay: true, trainable: true },
    { name: "hiddenBias", shape: [8], decay: false, trainable: true },
    { name: "head", shape: [4, 8], decay: true, trainable: true },
    { name: "headBias", shape: [4], decay: false, trainable: true },
  ]);
  const random = new engine.HostRandom(1, engine.domains.initialise);
  for (const { value, decay } of parameters.slabs) {
    const values = Float32Array.from({ length: value.size }, () => decay ? random.normal() : 0);
    device.write(value.storage, 0, values);
  }
  const of = (name: string) => parameters.get(name);
  const optimizer = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 });
  const labels = Uint32Array.from({ length: 16 }, (_, row) => row % 2);
  const points = Float32Array.from({ length: 64 }, (_, i) => labels[i >> 2] + random.uniform());
  for (let step = 0; step < 30; step++) {
    device.beginStep(1, step);
    parameters.zeroGradients();
    const { output, backward } = withTape(() => {
      const layer = (name: string) => ({ weight: of(name), bias: of(`${name}Bias`) });
      const hidden = relu(linear(upload(device, [16, 4], points), layer("hidden")));
      const logits = linear(hidden, layer("head"));
      return crossEntropy(logits, upload(device, [16], labels));
    });
    backward();
    setOrAdd(optimizer.loss, output, true);
    optimizer.update(0.05);
    device.endStep();
  }
  const losses = (await optimizer.readHistory()).map(({ loss }) => loss);
  assert.ok(losses[29] < losses[0] / 4, `${losses[0]} to ${losses[29]}`);
  optimizer.destroy();
  parameters.destroy();
});
