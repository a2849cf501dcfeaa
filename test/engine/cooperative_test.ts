/** Matrix units: the kernel's text, the proof before they are used, and which plans a device then takes. */
import assert from "node:assert/strict";
import { proveCooperative } from "../../engine/cooperative.ts";
import { createDevice, Device } from "../../engine/device.ts";
import { namedExtensions, sourceFor } from "../../engine/dialect.ts";
import { matmul } from "../../engine/matmul.ts";
import { CooperativeError, matrixUnits } from "../../engine/matrix_units.ts";
import {
  candidatePlans,
  cooperativePlan,
  fixedCooperativePlan,
  planFor,
  registerPlan,
  workgroupPlan,
} from "../../engine/plans.ts";
import { tuningKey } from "../../engine/tuner.ts";
import {
  type CooperativePlan,
  type Extension,
  type Fragment,
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

const wgpu = "wgpu_cooperative_matrix";
const tint = "chromium_experimental_subgroup_matrix";
const square = (size: number): Fragment => [size, size, size];
/** Those of llvmpipe, of NVIDIA and of Intel. */
const fragments: Fragment[] = [square(8), square(16), [16, 8, 16], [8, 16, 16]];

/** The adapter as a GPU, whose subgroups have so many lanes. */
const gpu = (lanes: number) => ({ lanes, software: false });

const withPlan = (matmul: MatmulPlan) =>
  new Device(adapter.gpu, adapter.info, { ...adapter.kernels, matmul });

/** Every variant that the family knows, but for textures, which matrix units do not read. */
function* variants(): Generator<MatmulVariant> {
  for (const transpose of ["NT", "NN", "TN"] as const) {
    const formats = ["f32", "bf16", "f16"] as const;
    for (const formatB of formats.slice(0, transpose === "TN" ? 1 : 3)) {
      for (let bits = 0; bits < 128; bits++) {
        const flag = (bit: number) => (bits >> bit & 1) === 1;
        const [bias, accumulate, second, gelu, keep] = [0, 1, 2, 3, 4].map(flag);
        if ((second && transpose !== "NT") || (keep && !gelu)) continue;
        yield {
          ...{ transpose, formatB, bias, accumulate, second, gelu, keep },
          ...{ formatA: "f32", formatC: "f32" },
          ...{ dropout: flag(5), residual: flag(6), textureA: false, textureB: false },
        };
      }
    }
  }
}

Deno.test("matrix units: every variant binds and takes what the other plans' kernels do", () => {
  const other = workgroupPlan(1, 1, { inner: 8, workgroup: [4, 4] });
  const plans = [
    cooperativePlan({ extension: wgpu, fragment: square(16), lanes: 32 }),
    cooperativePlan({ extension: tint, fragment: [16, 8, 16], lanes: 32 }),
  ];
  for (const variant of variants()) {
    const expected = tiledKernel(other, variant);
    for (const plan of plans) {
      const kernel = tiledKernel(plan, variant);
      assert.deepEqual(kernel.bindings, expected.bindings);
      assert.deepEqual(kernel.params, expected.params);
      assert.equal(kernel.name, expected.name);
      assert.doesNotMatch(kernel.source, /\$[A-Za-z]|NaN|undefined/);
    }
  }
});

Deno.test("matrix units: a text names its extension and its fragments, in the words of its compiler", () => {
  const [variant] = variants();
  const check = (plan: CooperativePlan, named: Extension[], head: string, types: string[]) => {
    const source = sourceFor(tiledKernel(plan, variant), named);
    assert.ok(source.startsWith(head), source.slice(0, 200));
    for (const type of types) assert.ok(source.includes(type), type);
    const code = source.replace(/\/\/.*/g, "");
    const words = { [wgpu]: /\bcoop/, [tint]: /\bsubgroup_?[mM]atrix/ };
    for (const extension of [wgpu, tint] as const) {
      assert.equal(words[extension].test(code), extension === plan.extension);
    }
  };
  for (const size of [8, 16]) {
    const type = `coop_mat${size}x${size}`;
    check(
      cooperativePlan({ extension: wgpu, fragment: square(size), lanes: 32 }),
      ["f16", wgpu, tint],
      `enable f16;\nenable ${wgpu};\n//`,
      [`${type}<f16, A>`, `${type}<f16, B>`, `${type}<f32, C>`],
    );
  }
  for (const fragment of fragments) {
    const [m, n, k] = fragment;
    check(
      cooperativePlan({ extension: tint, fragment, lanes: 32 }),
      ["f16", wgpu, tint, "subgroups"],
      `enable f16;\nenable ${tint};\nenable subgroups;\ndiagnostic(off, subgroup_uniformity);\n`,
      [
        `subgroup_matrix_left<f16, ${k}, ${m}>`,
        `subgroup_matrix_right<f16, ${n}, ${k}>`,
        `subgroup_matrix_result<f32, ${n}, ${m}>`,
      ],
    );
  }
});

Deno.test("matrix units: tiles are whole fragments and fit WebGPU's limits", () => {
  for (const fragment of fragments) {
    for (const lanes of [8, 32, 64]) {
      const fixed = cooperativePlan({ extension: tint, fragment, lanes });
      assert.deepEqual(workgroupTile(fixed), { rows: 64, columns: 64 });
      assert.ok(workgroupBytes(fixed) <= 32768, `${workgroupBytes(fixed)} bytes`);
      const plans = candidatePlans(
        { ...adapter.info, software: false },
        fixed,
      ) as CooperativePlan[];
      assert.equal(plans[0], fixed);
      assert.ok(plans.length > 4);
      for (const plan of plans) {
        const { kind, rows, columns, inner, workgroup: [x, y] } = plan;
        assert.deepEqual(
          [kind, plan.extension, plan.fragment, plan.lanes],
          ["cooperative", tint, fragment, lanes],
        );
        assert.ok([rows, columns, inner / fragment[2], x / lanes].every(Number.isInteger));
        assert.ok(x * y <= 256, JSON.stringify(plan));
        assert.ok(
          workgroupBytes(plan) <= 49152,
          `${JSON.stringify(plan)}: ${workgroupBytes(plan)}`,
        );
      }
    }
  }
});

Deno.test("matrix units: a CPU that plays GPU has the least to compile, and nothing to tune", () => {
  for (const fragment of fragments) {
    const [rows, columns, inner] = fragment;
    const plan = fixedCooperativePlan({ extension: tint, fragment, lanes: 8 }, true);
    assert.deepEqual(workgroupTile(plan), { rows: 2 * rows, columns: 2 * columns });
    assert.equal(plan.inner, inner);
    assert.deepEqual(candidatePlans({ ...adapter.info, software: true }, plan), [plan]);
  }
});

Deno.test("matrix units: only a device that was made for f16 takes their plans", () => {
  const gpu = { ...adapter.info, software: false, subgroupSize: 32, subgroupMinSize: 32 };
  const fixed = {
    f32: registerPlan(2, 2),
    f16: cooperativePlan({ extension: tint, fragment: square(16), lanes: 32 }),
  };
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

const blind = { extension: wgpu, fragments: [square(16), square(8)] } as const;

Deno.test("matrix units: the first fragment whose products come out right is taken", async () => {
  const tried: [Fragment, number][] = [];
  const prove = (right: number) =>
    proveCooperative(
      ({ fragment, lanes }) => {
        tried.push([fragment, lanes]);
        return fragment[0] === right ? adapter : idle(registerPlan(1, 1));
      },
      blind,
      gpu(32),
    );
  assert.equal(await prove(16), adapter);
  assert.deepEqual(tried, [[square(16), 32]]);
  assert.equal(await prove(8), adapter);
  assert.deepEqual(tried, [16, 16, 8].map((size) => [square(size), 32]));
});

Deno.test("matrix units: where no product comes out right, the error says how far off each is", async () => {
  await assert.rejects(proveCooperative(idle, blind, gpu(32)), {
    name: "CooperativeError",
    message: "16 × 16 × 16: NT is off by 1.0e+0; 8 × 8 × 8: NT is off by 1.0e+0",
  });
});

Deno.test("matrix units: a kernel that the GPU refuses is a reason, not a crash", async () => {
  const { gpu, info, kernels } = await createDevice(); // without the feature
  const withPlan = (matmul: MatmulPlan) => new Device(gpu, info, { ...kernels, matmul });
  await assert.rejects(
    proveCooperative(withPlan, blind, { lanes: 32, software: true }),
    (error) => {
      assert.ok(error instanceof CooperativeError);
      assert.match(
        error.message,
        /^16 × 16 × 16: .*matmul\.NT\.main[^]*; 8 × 8 × 8: .*matmul\.NT\.main/,
      );
      return true;
    },
  );
  await withPlan(registerPlan(1, 1)).finish(); // the GPU's reports do not reach who comes next
  gpu.destroy();
});

/** An adapter as Dawn has them. */
function dawnAdapter(
  configs: [of: string, sums: string, fragment: Fragment][],
  features = ["chromium-experimental-subgroup-matrix", "shader-f16", "subgroups"],
): GPUAdapter {
  const subgroupMatrixConfigs = configs.map(([componentType, resultComponentType, [M, N, K]]) => (
    { componentType, resultComponentType, M, N, K }
  ));
  return { info: { subgroupMatrixConfigs }, features: new Set(features) } as unknown as GPUAdapter;
}

Deno.test("matrix units: of what Dawn lists, f16 with sums in f32 is taken, the largest first", () => {
  const listed = fragments.map((fragment) =>
    ["f16", "f32", fragment] as [string, string, Fragment]
  );
  const units = matrixUnits(dawnAdapter([
    ["f16", "f16", [16, 16, 32]],
    ["i8", "i32", square(32)],
    ...listed,
    ["f16", "f32", [4, 4, 4]], // no tile of a plan is made of these
    ["f16", "f32", [16, 16, 24]],
  ]));
  assert.deepEqual(units.fragments, [square(16), [16, 8, 16], [8, 16, 16], square(8)]);
  assert.equal(units.extension, tint);
  assert.deepEqual(
    [...units.features].sort(),
    ["chromium-experimental-subgroup-matrix", "shader-f16", "subgroups"],
  );
});

Deno.test("matrix units: an adapter without those that serve is a sentence", () => {
  const says = (adapter: GPUAdapter, message: string) =>
    assert.throws(() => matrixUnits(adapter), { name: "CooperativeError", message });
  says(dawnAdapter([], ["subgroups"]), "it offers no matrix units through Dawn");
  says(
    dawnAdapter([], ["chromium-experimental-subgroup-matrix"]),
    "it lacks shader-f16 and subgroups",
  );
  says(
    dawnAdapter([["f16", "f16", square(8)], ["i8", "i32", [16, 8, 32]]]),
    "its matrix units multiply f16 with sums in f16 at 8 × 8 × 8, i8 with sums in i32 at 16 × 8 × 32, " +
      "and f16 with sums in f32 is needed",
  );
});

Deno.test("matrix units: a device without them says why", { ignore: units !== undefined }, () => {
  assert.ok(asked instanceof CooperativeError, String(asked));
  assert.match(asked.message, /features|matrix units|^16 × 16 × 16: /);
});

Deno.test("matrix units: a device that has them names them as its compiler wants", {
  ignore: !units,
}, async () => {
  const { matmul } = units!.kernels;
  assert.ok(matmul.kind === "cooperative");
  const named = await namedExtensions(units!.gpu);
  assert.ok(named.includes(matmul.extension));
  assert.deepEqual(named, units!.info.namedExtensions);
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
