/** A GPU without room for a model: the news comes before the weights are read. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { OutOfMemoryError } from "../../engine/errors.ts";
import { randomWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { createBase, createModel } from "../../models/model.ts";
import type { Method } from "../../models/peft/methods.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { testDevice } from "../models/device.ts";
import { config } from "./small_task.ts";

/** The same GPU, which denies every buffer beyond so many bytes in all; as a driver does, it says so later. */
function withRoom(gpu: GPUDevice, bytes: number): GPUDevice {
  let held = 0;
  const scopes: boolean[] = [];
  const own: Record<PropertyKey, unknown> = {
    createBuffer(descriptor: GPUBufferDescriptor) {
      held += descriptor.size;
      if (held > bytes && scopes.length > 0) scopes[scopes.length - 1] = true;
      return gpu.createBuffer(descriptor);
    },
    pushErrorScope: () => scopes.push(false),
    popErrorScope: () => {
      const denied = scopes.pop();
      return new Promise((resolve) =>
        setTimeout(resolve, 5, denied ? { message: "no room" } : null)
      );
    },
  };
  return new Proxy(gpu, {
    get(target, key) {
      const value = own[key] ?? Reflect.get(target, key, target);
      return typeof value === "function" && !(key in own) ? value.bind(target) : value;
    },
  });
}

/** What building a model of a method, or a base for models, reads before it throws, and what it throws. */
async function build(what: Method | "base", bytes: number) {
  const { gpu, info, kernels } = await testDevice();
  const device = new Device(withRoom(gpu, bytes), info, kernels);
  const read: string[] = [];
  const random = randomWeights("test");
  const weights: WeightSource = {
    ...random,
    read: (wanted) => {
      read.push(wanted.name);
      return random.read(wanted);
    },
  };
  try {
    const made = what === "base"
      ? await createBase(device, { config, weights })
      : await createModel(device, { config, method: what, classes: 3, weights, seed: 0 });
    made.destroy();
    return { read };
  } catch (error) {
    assert.ok(error instanceof OutOfMemoryError, String(error));
    return { read, error };
  }
}

Deno.test("no weight is read for a GPU that has no room for all of them", async () => {
  const { read, error } = await build(loraDefaults(4), 50_000);
  assert.deepEqual(read, []);
  assert.equal(error?.use, "frozen");
  const full = await build({ method: "full" }, 50_000);
  assert.deepEqual(full.read, []);
  assert.equal(full.error?.use, "trained");
  const base = await build("base", 50_000);
  assert.deepEqual(base.read, []);
  assert.equal(base.error?.use, "frozen");
});

Deno.test("a GPU that has room gets all of them", async () => {
  const { read, error } = await build(loraDefaults(4), 1e9);
  assert.equal(error, undefined);
  assert.ok(read.length > 20);
});
