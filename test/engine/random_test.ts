/** Threefry-2x32 on both sides, dropout's rate, and the host's random numbers. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { dropout } from "../../engine/ops/mod.ts";
import { domains, HostRandom, randomKey, threefry2x32 } from "../../engine/random.ts";
import { upload } from "../../engine/tensor.ts";
import type { Kernel } from "../../kernels/mod.ts";
import source from "../../kernels/random.wgsl" with { type: "text" };
import { elementFactors } from "../../gradcheck/dropout_factors.ts";

type Words = [number, number];

/** Known answers for 20 rounds from the authors' Random123 library, tests/kat_vectors. */
const knownAnswers: { key: Words; counter: Words; result: Words }[] = [
  { key: [0, 0], counter: [0, 0], result: [0x6b200159, 0x99ba4efe] },
  {
    key: [0xffffffff, 0xffffffff],
    counter: [0xffffffff, 0xffffffff],
    result: [0x1cb996fc, 0xbb002be7],
  },
  {
    key: [0x13198a2e, 0x03707344],
    counter: [0x243f6a88, 0x85a308d3],
    result: [0xc4923a9c, 0x483df7a0],
  },
];

const device = await createDevice();

const probe: Kernel = {
  name: "threefry.probe",
  source: `${source}
@group(0) @binding(0) var<storage, read> counters: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> words: array<vec2u>;
@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&counters)) {
    words[id.x] = threefry(random.key, counters[id.x]);
  }
}`,
  entryPoint: "probe",
  bindings: new Map([["counters", 0], ["words", 1], ["random", 10]]),
  params: [],
  constants: {},
};

/** The kernels' threefry, on a key and many counters. */
async function threefryOnGpu(key: Words, counters: Words[]): Promise<number[]> {
  device.beginStep(0, 0);
  device.gpu.queue.writeBuffer(device.random.uniform, 0, Uint32Array.from(key));
  const input = upload(device, [counters.length, 2], Uint32Array.from(counters.flat()));
  const output = upload(device, [counters.length, 2], new Uint32Array(counters.length * 2));
  device.launcher.launch(
    probe,
    { counters: input.binding, words: output.binding, random: device.random },
    {},
    [Math.ceil(counters.length / 64), 1],
  );
  const words = new Uint32Array((await output.read()).buffer);
  device.endStep();
  return [...words];
}

Deno.test("threefry2x32 gives the known answers, on the host and on the GPU", async () => {
  for (const { key, counter, result } of knownAnswers) {
    assert.deepEqual(threefry2x32(key, counter), result);
    assert.deepEqual(await threefryOnGpu(key, [counter]), result);
  }
});

Deno.test("the GPU's threefry2x32 equals the host's", async () => {
  const key: Words = [0xdeadbeef, 12345];
  const random = new HostRandom(3, domains.sample);
  const counters = Array.from(
    { length: 500 },
    (): Words => [random.integer(2 ** 32), random.integer(2 ** 32)],
  );
  assert.deepEqual(
    await threefryOnGpu(key, counters),
    counters.flatMap((counter) => threefry2x32(key, counter)),
  );
});

Deno.test("dropout drops its share, differs by seed, step and site, and scales the rest", async () => {
  const count = 100_000;
  const ones = new Float32Array(count).fill(1);
  const masks: string[] = [];
  for (const [seed, step, probability] of [[1, 1, 0.1], [1, 2, 0.1], [2, 1, 0.1], [1, 1, 0.5]]) {
    device.beginStep(seed, step);
    const x = upload(device, [count], ones);
    const results = [await dropout(x, probability).read(), await dropout(x, probability).read()];
    device.endStep();
    results.forEach((y, site) => {
      const factors = elementFactors({ seed, step, site, probability }, count);
      assert.deepEqual(y, Float32Array.from(factors), `seed ${seed}, step ${step}, site ${site}`);
      const dropped = y.filter((value) => value === 0).length;
      const sigma = Math.sqrt(count * probability * (1 - probability));
      assert.ok(Math.abs(dropped - count * probability) < 5 * sigma, `${dropped} dropped`);
      masks.push(y.map((value) => value === 0 ? 0 : 1).slice(0, 200).join(""));
    });
  }
  assert.equal(new Set(masks).size, masks.length);
});

Deno.test("dropout of 0 is the tensor itself and takes no site; outside [0, 1) it is refused", async () => {
  device.beginStep(1, 1);
  const x = upload(device, [8], new Float32Array(8).fill(1));
  assert.equal(dropout(x, 0), x);
  assert.equal(device.nextDropoutSite(), 0);
  for (const probability of [-0.1, 1, 1.5, NaN]) {
    assert.throws(() => dropout(x, probability), /not in \[0, 1\)/);
  }
  const almostAll = await dropout(x, 0.9999999).read();
  assert.ok(almostAll.every((value) => value === 0));
  device.endStep();
});

Deno.test("uniform, integer and normal have their moments", () => {
  const random = new HostRandom(42, domains.sample);
  const count = 20_000;
  const uniform = Array.from({ length: count }, () => random.uniform());
  assert.ok(uniform.every((value) => value >= 0 && value < 1));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
  assert.ok(Math.abs(mean(uniform) - 0.5) < 5 * Math.sqrt(1 / 12 / count));
  const normal = Array.from({ length: count }, () => random.normal());
  assert.ok(Math.abs(mean(normal)) < 5 / Math.sqrt(count));
  assert.ok(Math.abs(mean(normal.map((value) => value ** 2)) - 1) < 5 * Math.sqrt(2 / count));
  const tail = normal.filter((value) => Math.abs(value) > 2).length / count;
  assert.ok(Math.abs(tail - 0.0455) < 0.008, `${tail} beyond 2σ`);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) counts[random.integer(5)]++;
  for (const found of counts) {
    assert.ok(Math.abs(found - count / 5) < 5 * Math.sqrt(count * 0.16));
  }
});

Deno.test("a stream repeats, and differs from other seeds and streams", () => {
  const draw = (seed: number, index: number) => {
    const random = new HostRandom(seed, domains.sample, index);
    return [random.uniform(), random.uniform(), random.normal()].join();
  };
  assert.equal(draw(1, 1), draw(1, 1));
  assert.equal(new Set([draw(1, 1), draw(1, 2), draw(2, 1), draw(0, 0)]).size, 4);
});

Deno.test("no two uses of a seed share a stream: an epoch's order is no step's dropout", () => {
  const keys = Object.values(domains).flatMap((domain) =>
    Array.from({ length: 500 }, (_, index) => randomKey(42, domain, index).join())
  );
  assert.equal(new Set(keys).size, keys.length);
  const [high] = threefry2x32(randomKey(42, domains.dropout, 2), [0, 0]);
  const [shuffle] = threefry2x32(randomKey(42, domains.batches, 0), [0, 0]);
  assert.notEqual(high, shuffle);
});

Deno.test("shuffle keeps every item, leaves its input alone, and reaches every order alike", () => {
  const items = [1, 2, 3];
  const random = new HostRandom(9, domains.sample);
  const orders = new Map<string, number>();
  const rounds = 6000;
  for (let i = 0; i < rounds; i++) {
    const order = random.shuffle(items).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.deepEqual(items, [1, 2, 3]);
  assert.deepEqual([...orders.keys()].sort(), ["123", "132", "213", "231", "312", "321"]);
  for (const found of orders.values()) {
    assert.ok(Math.abs(found - rounds / 6) < 5 * Math.sqrt(rounds * 5 / 36));
  }
});
