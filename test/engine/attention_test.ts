/** Attention on the kernels that other adapters take; ops_test.ts has the one for this adapter. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { attention, paddedHeadSize, workgroupSizes } from "../../kernels/mod.ts";
import { attentionCase, attentionCases } from "../../gradcheck/attention_cases.ts";
import { checkOp } from "./check.ts";

const { gpu, info, kernels } = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });

Deno.test("attention: tiles in workgroup memory", async () => {
  const device = new Device(gpu, info, { ...kernels, broadcastLanes: 0 });
  const wide = [96, 128].map((headSize) =>
    attentionCase({ lengths: [3, 21, 1], heads: 2, headSize, rows: 27 }, 0.1)
  );
  for (const op of [...attentionCases, ...wide]) {
    await checkOp(device, "attention by workgroups", op);
  }
});

Deno.test("attention: rows handed round among four, without textures", async () => {
  const broadcastLanes = Math.min(4, kernels.broadcastLanes);
  const device = new Device(gpu, info, { ...kernels, broadcastLanes, attentionTextures: false });
  for (const op of attentionCases) await checkOp(device, "attention from buffers", op);
});

Deno.test("attention: every head size up to 128 has a tile in WebGPU's least workgroup memory", () => {
  for (let headSize = 4; headSize <= 128; headSize += 4) {
    const { WORKGROUP, PARTS, PART, ROWS, TILE, CHUNK } = workgroupSizes(headSize);
    assert.equal(4 * PARTS * PART, headSize);
    assert.ok(PART <= 4, `${PART} vectors of each kind in registers`);
    assert.equal(ROWS * PARTS, WORKGROUP);
    assert.ok(WORKGROUP > 64 && WORKGROUP <= 128, `${WORKGROUP} invocations`);
    assert.ok(CHUNK * PARTS >= TILE);
    const row = 16 * (PARTS * PART + 1);
    const statistics = 8;
    const bytes = TILE * (2 * row + 2 * 4 * WORKGROUP + statistics) + 4 * WORKGROUP;
    assert.ok(bytes <= 16384, `${bytes} bytes for a head size of ${headSize}`);
  }
  assert.throws(() => workgroupSizes(1024), /head size of 1024 does not fit into 16384 bytes/);
});

Deno.test("attention: a head whose shares are unequal, or too large, goes by workgroup memory", () => {
  const textures = (headSize: number, lanes: number) =>
    attention({ headSize, lanes, textures: true, format: "f32" }).forward.textures?.has(
      "projections",
    );
  assert.ok(textures(32, 8) && textures(64, 8) && textures(48, 4));
  assert.ok(!textures(48, 8) && !textures(12, 4) && !textures(256, 8) && !textures(64, 0));
});

Deno.test("attention: a multiple of 4 is never padded; others to what the kernels share, or to one", () => {
  for (let headSize = 4; headSize <= 256; headSize += 4) {
    for (const lanes of [0, 4, 8]) assert.equal(paddedHeadSize(headSize, lanes), headSize);
  }
  assert.deepEqual([0, 4, 8].map((lanes) => paddedHeadSize(26, lanes)), [28, 32, 32]);
  assert.deepEqual([0, 4, 8].map((lanes) => paddedHeadSize(130, lanes)), [132, 132, 132]);
});
