/** Buffers: what a step makes, what the next one takes over, and what is left. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { add, gelu, layerNorm, linear, relu } from "../../engine/ops/mod.ts";
import { withTape } from "../../engine/tape.ts";
import { createTimer } from "../../engine/timing.ts";
import { clear, persistent, upload } from "../../engine/tensor.ts";
import { randomValues, tensorOf } from "./check.ts";
import { leftBy } from "./live.ts";
import { doubled, kernel } from "./own_kernel.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});
/** The engine anew on the same GPU. Where the GPU is to report an error, a GPU of its own is needed. */
const fresh = () => new Device(device.gpu, device.info, device.kernels);

Deno.test("values that do not fill the shape are refused, and take no memory", () => {
  const device = fresh();
  for (const make of [upload, persistent]) {
    assert.throws(
      () => make(device, [2, 3], new Float32Array(5)),
      /5 values do not fill the shape \[2, 3\]/,
    );
  }
  assert.equal(device.memory.heldBytes, 0);
});

Deno.test("equal steps make no new buffers, bind groups or pipelines", async () => {
  const device = fresh();
  const gpu = Object.create(null) as Record<string, number>;
  const methods = ["createBuffer", "createBindGroup", "createComputePipeline"] as const;
  for (const method of methods) {
    const original = device.gpu[method] as (...parameters: unknown[]) => unknown;
    gpu[method] = 0;
    Object.defineProperty(device.gpu, method, {
      configurable: true,
      value: (...parameters: unknown[]) => {
        gpu[method]++;
        return original.apply(device.gpu, parameters);
      },
    });
  }
  try {
    const weight = persistent(device, [20, 20], Float32Array.from(randomValues(400, 1)));
    const [bias, gamma, beta] = [0, 1, 0].map((value) =>
      persistent(device, [20], new Float32Array(20).fill(value))
    );
    for (const tensor of [weight, bias, gamma, beta]) {
      tensor.requiresGrad = true;
      tensor.gradient = persistent(device, tensor.shape);
    }
    const step = (number: number) => {
      device.beginStep(1, number);
      const { backward } = withTape(() => {
        let x = tensorOf(device, [9, 20], randomValues(180, number));
        for (let i = 0; i < 3; i++) {
          x = layerNorm(add(gelu(linear(x, { weight, bias })), x), gamma, beta, 1e-12);
        }
        return x;
      });
      backward();
      device.endStep();
    };
    step(0);
    assert.ok(methods.every((method) => gpu[method] > 0));
    step(1);
    methods.forEach((method) => gpu[method] = 0);
    for (let number = 2; number < 20; number++) step(number);
    assert.deepEqual(methods.map((method) => gpu[method]), [0, 0, 0]);
    await device.finish();
  } finally {
    for (const method of methods) Reflect.deleteProperty(device.gpu, method);
  }
});

Deno.test("reading leaves no buffer, neither where it succeeds nor where it throws", async () => {
  const device = await createDevice();
  const x = upload(device, [4], Float32Array.of(1, 2, 3, 4));
  await x.read();
  assert.equal(
    await leftBy(device.gpu, async () => {
      assert.deepEqual([...await x.read()], [1, 2, 3, 4]);
    }),
    0,
  );
  const broken = kernel("typo.main", doubled.replace("2 *", "two *"));
  device.launcher.launch(broken, { x: x.binding, y: x.binding }, {}, [1, 1]);
  assert.equal(
    await leftBy(device.gpu, async () => {
      await assert.rejects(() => x.read(), /typo\.main/);
    }),
    0,
  );
  device.destroy();
});

Deno.test("a timer's buffers go with it", async () => {
  const x = upload(device, [4], new Float32Array(4));
  assert.equal(
    await leftBy(device.gpu, async () => {
      const timer = await createTimer(device);
      assert.ok(await timer.seconds(() => clear(x), 2) >= 0);
      timer.destroy();
    }),
    0,
  );
  device.endStep();
});

Deno.test("repeat launches again without running again, and what writes runs every time", async () => {
  const { launcher } = device;
  const x = persistent(device, [4], Float32Array.of(-1, 2, -3, 4));
  const y = persistent(device, [4]);
  const owner = {};
  let runs = 0;
  const rectify = (key: string, write = false) =>
    launcher.repeat(owner, key, () => {
      runs++;
      if (write) device.write(x.storage, 0, Float32Array.of(runs, 0, 0, 0));
      const from = relu(x).storage.buffer;
      launcher.record((encoder) => encoder.copyBufferToBuffer(from, 0, y.storage.buffer, 0, 16));
    });
  const seen = async () => {
    const values = [...await y.read()];
    clear(y);
    return values;
  };
  rectify("a");
  assert.deepEqual([await seen(), runs], [[0, 2, 0, 4], 1]);
  device.write(x.storage, 0, Float32Array.of(5, -6, 7, -8));
  const before = launcher.dispatches;
  rectify("a");
  assert.deepEqual([await seen(), runs], [[5, 0, 7, 0], 1]);
  assert.equal(launcher.dispatches, before + 1);
  rectify("b");
  launcher.repeat({}, "a", () => runs++); // another owner's
  assert.equal(runs, 3);
  launcher.forget();
  rectify("a");
  assert.equal(runs, 4);
  rectify("writes", true);
  rectify("writes", true);
  assert.deepEqual([await seen(), runs], [[6, 0, 0, 0], 6]);
  assert.throws(() =>
    launcher.repeat(owner, "fails", () => {
      throw new Error("half way");
    })
  );
  launcher.repeat(owner, "fails", () => runs++);
  assert.equal(runs, 7);
  device.endStep();
});

Deno.test("memory: an arena buffer returns to its pool, a persistent one does not", () => {
  const { memory } = fresh();
  const first = memory.acquire(1000);
  const second = memory.acquire(1000);
  assert.notEqual(first, second);
  memory.release(first);
  memory.release(first); // twice is once
  assert.equal(memory.acquire(1001), first); // one bucket
  assert.notEqual(memory.acquire(1000), first);
  memory.endStep();
  assert.equal(memory.acquire(1000), first); // the order of the step before
  assert.equal(memory.acquire(1000), second);
  memory.endStep();
  const kept = memory.allocate(1024);
  memory.release(kept);
  assert.notEqual(memory.acquire(1024), kept);
  memory.endStep();
  memory.resetPeak();
  const held = memory.heldBytes;
  memory.trim();
  assert.equal(memory.heldBytes, 1024);
  assert.equal(memory.peakBytes, held);
  memory.destroy(kept);
  assert.equal(memory.heldBytes, 0);
});
