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
import { dropout, layerNorm, relu, scale } from "../../engine/ops/mod.ts";
import { upload } from "../../engine/tensor.ts";
import { type Kernel, scale as scaleKernels } from "../../kernels/mod.ts";
import { doubled, kernel } from "./own_kernel.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});
/** The engine anew on the same GPU. Where the GPU is to report an error, a GPU of its own is needed. */
const fresh = () => new Device(device.gpu, device.info, device.kernels);

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
    () =>
      device.launcher.launch(scaleKernels("f32").main, { x, z: y }, { count: 1, factor: 2 }, [
        1,
        1,
      ]),
    /Kernel scale\.main has no binding "z"/,
  );
  assert.throws(
    () => device.launcher.launch(scaleKernels("f32").main, { x, y }, { count: 1 }, [1, 1]),
    /Kernel scale\.main: no value for params\.factor/,
  );
  device.launcher.launch(scaleKernels("f32").main, { x }, { count: 1, factor: 2 }, [1, 1]);
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
        scaleKernels("f32").main,
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
