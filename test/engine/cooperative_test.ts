/** Matrix units: the kernel's text, the proof before they are used, and which plans a device then takes. */
import assert from "node:assert/strict";
import { CooperativeError, proveCooperative } from "../../engine/cooperative.ts";
import { createDevice, Device } from "../../engine/device.ts";
import { matmul } from "../../engine/matmul.ts";
import {
  candidatePlans,
  cooperativePlan,
  planFor,
  registerPlan,
  workgroupPlan,
} from "../../engine/plans.ts";
import { tuningKey } from "../../engine/tuner.ts";
import {
  type CooperativePlan,
  matmul as tiledKernel,
  type MatmulPlan,
  type MatmulVariant,
  workgroupBytes,
  workgroupTile,
} from "../../kernels/mod.ts";
import { product } from "../../gradcheck/reference.ts";
import { assertClose, randomValues, tensorOf } from "./check.ts";

const adapter = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });
const asked = await createDevice({ matmulPrecision: "f16" }).catch((error) => error as Error);
const units = asked instanceof Device ? asked : undefined;

const withPlan = (matmul: MatmulPlan) =>
  new Device(adapter.gpu, adapter.info, { ...adapter.kernels, matmul });

/** Every variant that the family knows, but for textures, which matrix units do not read. */
function* variants(): Generator<MatmulVariant> {
  for (const transpose of ["NT", "NN", "TN"] as const) {
    for (const packB of transpose === "TN" ? ["f32"] as const : ["f32", "bf16", "f16"] as const) {
      for (let bits = 0; bits < 128; bits++) {
        const flag = (bit: number) => (bits >> bit & 1) === 1;
        const [bias, accumulate, second, gelu, keep] = [0, 1, 2, 3, 4].map(flag);
        if ((second && transpose !== "NT") || (keep && !gelu)) continue;
        yield {
          ...{ transpose, packB, bias, accumulate, second, gelu, keep },
          ...{ dropout: flag(5), residual: flag(6), textureA: false, textureB: false },
        };
      }
    }
  }
}

Deno.test("matrix units: every variant binds and takes what the other plans' kernels do", () => {
  const other = workgroupPlan(1, 1, { inner: 8, workgroup: [4, 4] });
  for (const variant of variants()) {
    for (const size of [8, 16] as const) {
      const kernel = tiledKernel(cooperativePlan(size, 32), variant);
      const expected = tiledKernel(other, variant);
      assert.deepEqual(kernel.bindings, expected.bindings);
      assert.deepEqual(kernel.params, expected.params);
      assert.equal(kernel.name, expected.name);
      const { source } = kernel;
      assert.match(source, /^enable f16;\nenable wgpu_cooperative_matrix;\n/);
      assert.ok(source.includes(`coop_mat${size}x${size}<f16, A>`));
      assert.doesNotMatch(source, /\$[A-Za-z]|NaN|undefined/);
    }
  }
});

Deno.test("matrix units: tiles are whole fragments and fit WebGPU's limits", () => {
  for (const size of [8, 16] as const) {
    for (const lanes of [8, 32, 64]) {
      const fixed = cooperativePlan(size, lanes);
      assert.deepEqual(workgroupTile(fixed), { rows: 64, columns: 64 });
      assert.ok(workgroupBytes(fixed) <= 32768, `${workgroupBytes(fixed)} bytes`);
      const plans = candidatePlans(adapter.info, fixed) as CooperativePlan[];
      assert.equal(plans[0], fixed);
      assert.ok(plans.length > 4);
      for (const plan of plans) {
        const { kind, rows, columns, inner, workgroup: [x, y] } = plan;
        assert.deepEqual([kind, plan.size, plan.lanes], ["cooperative", size, lanes]);
        assert.ok([rows, columns, inner / size, x / lanes].every(Number.isInteger));
        assert.ok(x * y <= 256, JSON.stringify(plan));
        assert.ok(
          workgroupBytes(plan) <= 49152,
          `${JSON.stringify(plan)}: ${workgroupBytes(plan)}`,
        );
      }
    }
  }
});

Deno.test("matrix units: only a device that was made for f16 takes their plans", () => {
  const gpu = { ...adapter.info, software: false, subgroupSize: 32, subgroupMinSize: 32 };
  const fixed = { f32: registerPlan(2, 2), f16: cooperativePlan(16, 32) };
  const kinds = (plan: MatmulPlan) => candidatePlans(gpu, plan).map(({ kind }) => kind);
  assert.ok(!kinds(fixed.f32).includes("cooperative"));
  assert.deepEqual([...new Set(kinds(fixed.f16))], ["cooperative"]);
  assert.notEqual(tuningKey(withPlan(fixed.f32)), tuningKey(withPlan(fixed.f16)));
  // Too few columns for a fragment: f32, as ever
  const narrow = { transpose: "NN", rows: 64, columns: 8, inner: 64, dtype: "f32" } as const;
  assert.equal(planFor(narrow, fixed.f16, {}).kind, "workgroup");
});

/** An engine whose launches do nothing: every product is zero. */
function idle(plan: MatmulPlan): Device {
  const device = withPlan(plan);
  device.launcher.launch = () => {};
  return device;
}

Deno.test("matrix units: the first size whose products come out right is taken", async () => {
  const tried: [number, number][] = [];
  const prove = (right: number) =>
    proveCooperative(({ size, lanes }) => {
      tried.push([size, lanes]);
      return size === right ? adapter : idle(registerPlan(1, 1));
    }, 32);
  assert.equal(await prove(16), adapter);
  assert.deepEqual(tried, [[16, 32]]);
  assert.equal(await prove(8), adapter);
  assert.deepEqual(tried, [[16, 32], [16, 32], [8, 32]]);
});

Deno.test("matrix units: where no product comes out right, the error says how far off each is", async () => {
  await assert.rejects(proveCooperative(idle, 32), (error) => {
    assert.ok(error instanceof CooperativeError);
    assert.equal(error.message, "16 × 16: NT is off by 1.0e+0; 8 × 8: NT is off by 1.0e+0");
    return true;
  });
});

Deno.test("matrix units: a kernel that the GPU refuses is a reason, not a crash", {
  ignore: units !== undefined,
}, async () => {
  const { gpu, info, kernels } = await createDevice();
  const withPlan = (matmul: MatmulPlan) => new Device(gpu, info, { ...kernels, matmul });
  await assert.rejects(proveCooperative(withPlan, 32), (error) => {
    assert.ok(error instanceof CooperativeError);
    assert.match(error.message, /^16 × 16: .*matmul\.NT\.main[^]*; 8 × 8: .*matmul\.NT\.main/);
    return true;
  });
  await withPlan(registerPlan(1, 1)).finish(); // the GPU's reports do not reach who comes next
  gpu.destroy();
});

Deno.test("matrix units: a device without them says why", { ignore: units !== undefined }, () => {
  assert.ok(asked instanceof CooperativeError, String(asked));
  assert.match(asked.message, /features|^16 × 16: /);
});

Deno.test("matrix units: small gradients keep their digits", { ignore: !units }, async () => {
  const [rows, inner, columns] = [68, 100, 76];
  const tiny = (count: number) => randomValues(count, 1).map((value) => Math.fround(1e-7 * value));
  const b = randomValues(inner * columns, 2);
  for (const transpose of ["NN", "TN"] as const) {
    const a = tiny(rows * inner);
    const shape = transpose === "TN" ? [inner, rows] : [rows, inner];
    units!.beginStep(0, 0);
    const c = tensorOf(units!, [rows, columns], new Array(rows * columns).fill(0));
    matmul(transpose, tensorOf(units!, shape, a), tensorOf(units!, [inner, columns], b), c);
    const actual = await c.read();
    units!.endStep();
    assertClose(transpose, actual, product(a, b, [rows, inner, columns], transpose), 1e-3);
  }
});
