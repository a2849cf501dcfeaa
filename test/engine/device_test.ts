/** Device, launches and memory: errors that say what happened, caches that do not grow, large sizes. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import {
  AdapterTooSmallError,
  BindingTooLargeError,
  DeviceError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../../engine/errors.ts";
import { add, dropout, gelu, layerNorm, linear, relu, scale } from "../../engine/ops/mod.ts";
import { withTape } from "../../engine/tape.ts";
import { createTimer } from "../../engine/timing.ts";
import { clear, persistent, upload } from "../../engine/tensor.ts";
import { type Kernel, scale as scaleKernels } from "../../kernels/mod.ts";
import { randomValues, tensorOf } from "./check.ts";
import { leftBy } from "./live.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});
/** The engine anew on the same GPU. Where the GPU is to report an error, a GPU of its own is needed. */
const fresh = () => new Device(device.gpu, device.info, device.kernels);

const doubled = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 2 * x[id.x]; }
`;
const kernel = (name: string, source: string, entryPoint = "main"): Kernel => ({
  name,
  source,
  entryPoint,
  bindings: new Map([["x", 0], ["y", 1]]),
  params: [],
  constants: {},
});

Deno.test("a broken kernel's error carries its name, and sticks", async () => {
  const broken: [Kernel, RegExp][] = [
    [kernel("typo.main", doubled.replace("2 *", "two *")), /typo\.main: [^]*two/],
    [kernel("absent.other", doubled, "other"), /absent\.other: /],
    [kernel("unfinished.main", doubled.replace("}", "")), /unfinished\.main: /],
  ];
  for (const [broke, message] of broken) {
    const device = await createDevice();
    const x = upload(device, [4], new Float32Array(4));
    device.launcher.launch(broke, { x: x.binding, y: x.binding }, {}, [1, 1]);
    const isError = (error: unknown) => error instanceof DeviceError && message.test(error.message);
    await assert.rejects(() => x.read(), isError);
    await assert.rejects(() => device.finish(), isError);
    assert.throws(() => device.beginStep(0, 0), isError);
    device.destroy();
  }
});

Deno.test("an attempt returns what the GPU reports, and the device goes on", async () => {
  const device = await createDevice();
  const x = upload(device, [4], Float32Array.of(1, 2, 3, 4));
  const run = (source: string) => {
    const y = upload(device, [4], new Float32Array(4));
    const bindings = { x: x.binding, y: y.binding };
    device.launcher.launch(kernel("tried.main", source), bindings, {}, [1, 1]);
    return y.read();
  };
  const broken = doubled.replace("2 *", "two *");
  const error = await device.attempt(() => run(broken));
  assert.ok(error instanceof DeviceError);
  assert.match(error.message, /^Kernel tried\.main: [^]*two/);
  assert.equal(await device.attempt(() => run(doubled)), undefined);
  assert.deepEqual([...await run(doubled)], [2, 4, 6, 8]);
  await assert.rejects(
    device.attempt(() => Promise.resolve(device.memory.acquire(2 ** 40))),
    OutOfMemoryError,
  );
  await assert.rejects(device.attempt(() => Promise.reject(new TypeError("ours"))), /ours/);
  await device.finish();
  device.endStep();
  await assert.rejects(run(broken), /tried\.main/); // without an attempt it sticks
  await assert.rejects(device.attempt(() => run(doubled)), /tried\.main/);
  device.destroy();
});

Deno.test("a kernel of one's own runs", async () => {
  const x = upload(device, [4], Float32Array.from([1, 2, 3, 4]));
  const y = upload(device, [4], new Float32Array(4));
  device.launcher.launch(kernel("double.main", doubled), { x: x.binding, y: y.binding }, {}, [
    1,
    1,
  ]);
  assert.deepEqual([...await y.read()], [2, 4, 6, 8]);
  device.endStep();
});

Deno.test("two buffers that change places are another launch", async () => {
  const double = kernel("double.main", doubled);
  const a = upload(device, [4], Float32Array.of(1, 2, 3, 4));
  const b = upload(device, [4], new Float32Array(4));
  device.launcher.launch(double, { x: a.binding, y: b.binding }, {}, [1, 1]);
  assert.deepEqual([...await b.read()], [2, 4, 6, 8]);
  device.launcher.launch(double, { y: a.binding, x: b.binding }, {}, [1, 1]);
  assert.deepEqual([[...await a.read()], [...await b.read()]], [[4, 8, 12, 16], [2, 4, 6, 8]]);
  device.endStep();
});

Deno.test("wrong names and missing fields are refused with the kernel's name", async () => {
  const device = await createDevice();
  const x = upload(device, [4], new Float32Array(4)).binding;
  const y = upload(device, [4], new Float32Array(4)).binding;
  assert.throws(
    () => device.launcher.launch(scaleKernels.main, { x, z: y }, { count: 1, factor: 2 }, [1, 1]),
    /Kernel scale\.main has no binding "z"/,
  );
  assert.throws(
    () => device.launcher.launch(scaleKernels.main, { x, y }, { count: 1 }, [1, 1]),
    /Kernel scale\.main: no value for params\.factor/,
  );
  device.launcher.launch(scaleKernels.main, { x }, { count: 1, factor: 2 }, [1, 1]);
  await assert.rejects(() => device.finish(), /Kernel scale\.main: /);
  device.destroy();
});

Deno.test("more than one buffer may hold is refused with what was asked and what is held", () => {
  const device = fresh();
  device.memory.allocate(1_000_000);
  const limit = device.gpu.limits.maxBufferSize;
  const bytes = 2 ** Math.ceil(Math.log2(limit + 1));
  for (const [ask, purpose] of [["allocate", "buffer"], ["acquire", "step arena"]] as const) {
    assert.throws(() => device.memory[ask](bytes), (error) => {
      assert.ok(error instanceof OutOfMemoryError);
      const facts = { bytes, held: 1_000_000, purpose, use: "batch", limit };
      assert.deepEqual({ ...error }, { name: "OutOfMemoryError", ...facts });
      assert.match(
        error.message,
        /^Out of GPU memory: [\d.]+ GB asked .* 1\.0 MB held; one buffer may have [\d.]+ GB\.$/,
      );
      return true;
    });
  }
});

Deno.test("a tensor above the binding limit is refused before it is launched", async () => {
  const device = await createDevice();
  const limit = device.gpu.limits.maxStorageBufferBindingSize;
  const x = upload(device, [4], new Float32Array(4)).binding;
  const bytes = limit + 16;
  assert.throws(
    () =>
      device.launcher.launch(
        scaleKernels.main,
        { x, y: { ...x, size: bytes } },
        { count: 1, factor: 2 },
        [1, 1],
      ),
    (error) => {
      assert.ok(error instanceof BindingTooLargeError, String(error));
      const facts = {
        bytes,
        limit,
        kernel: "scale.main",
        binding: "y",
        purpose: "step arena",
        use: "batch",
      };
      assert.deepEqual({ ...error }, { name: "BindingTooLargeError", ...facts });
      assert.match(error.message, /^Kernel scale\.main: its "y" .* has [\d.]+ .B; .* [\d.]+ .B at/);
      return true;
    },
  );
  await device.finish(); // it goes on
  device.destroy();
});

Deno.test("without an adapter, or with one that is too small, the error has the facts", async () => {
  const { limits, info } = (await navigator.gpu.requestAdapter())!;
  const small = {
    info: { description: info.description },
    limits: { ...limits, maxStorageBuffersPerShaderStage: 4 },
  };
  const create = async (adapter: unknown) => {
    Object.defineProperty(navigator.gpu, "requestAdapter", {
      configurable: true,
      value: () => Promise.resolve(adapter),
    });
    try {
      return await createDevice().then(() => undefined, (error: Error) => error);
    } finally {
      Reflect.deleteProperty(navigator.gpu, "requestAdapter");
    }
  };
  assert.ok(await create(null) instanceof NoAdapterError);
  const error = await create(small);
  assert.ok(error instanceof AdapterTooSmallError, String(error));
  const { description, needed, offered } = error;
  assert.deepEqual([description, needed, offered], [info.description, 8, 4]);
});

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

Deno.test("an elementwise operation reaches beyond 65,535 workgroups", async () => {
  const count = 65535 * 64 * 4 + 1003;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = i % 1021;
  const y = await scale(upload(device, [count], values), 2).read();
  assert.ok(y.every((value, i) => value === 2 * (i % 1021)));
  device.endStep();
  device.trim();
});

Deno.test("layerNorm reaches beyond 65,535 rows", async () => {
  const rows = 65535 + 130;
  const values = new Float32Array(rows * 4);
  for (let i = 0; i < values.length; i++) values[i] = (i % 4) * (i % 7 + 1);
  const [one, zero] = [1, 0].map((value) =>
    upload(device, [4], Float32Array.of(value, value, value, value))
  );
  const y = await layerNorm(upload(device, [rows, 4], values), one, zero, 1e-12).read();
  for (let row = 0; row < rows; row += 13) {
    const at = (i: number) => y[row * 4 + i];
    const squares = [0, 1, 2, 3].reduce((sum, i) => sum + at(i) ** 2, 0);
    assert.ok(Math.abs(squares - 4) < 1e-4, `row ${row}: ${squares}`);
    assert.ok(Math.abs(at(0) + at(1) + at(2) + at(3)) < 1e-5);
  }
  device.endStep();
  device.trim();
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

Deno.test("what was recorded before beginStep draws from its own step", async () => {
  const device = fresh();
  const draw = () => dropout(upload(device, [64], new Float32Array(64).fill(1)), 0.5);
  device.beginStep(1, 1);
  const expected = await draw().read();
  device.beginStep(1, 1);
  const x = draw();
  device.beginStep(1, 2);
  assert.deepEqual(await x.read(), expected);
  assert.notDeepEqual(await draw().read(), expected);
});

Deno.test("a destroyed device ends with an error, not with a hang", async () => {
  const device = await createDevice();
  const x = upload(device, [4], new Float32Array(4));
  device.destroy();
  await assert.rejects(() => relu(x).read(), DeviceError);
  await assert.rejects(
    () => device.finish(),
    (error) => error instanceof DeviceLostError && error.destroyed,
  );
  assert.throws(() => device.beginStep(0, 0), /destroyed/);
});

Deno.test("a lost device says so", async () => {
  const lost = Promise.resolve({ reason: "unknown", message: "driver reset" });
  Object.defineProperty(device.gpu, "lost", { configurable: true, value: lost });
  try {
    const device = fresh();
    await lost;
    await assert.rejects(
      () => device.finish(),
      /^DeviceLostError: The GPU was lost \(driver reset\)\.$/,
    );
    assert.throws(() => device.endStep(), DeviceLostError);
  } finally {
    Reflect.deleteProperty(device.gpu, "lost");
  }
});
