/**
 * Whether a frozen weight in 8 bits is worth it: y = x Wᵀ from i8 operands, W with a scale a row and x with one a token, on
 * matrix units, beside f16 in the same kernel and f32 in the engine's. Needs Dawn and an adapter that lists both kinds:
 *
 *     deno run -P=bench $(deno run -q -P=grants cli/grants.ts ffi) bench/int8.ts --backend=dawn
 */
import { createDevice, Device } from "../engine/device.ts";
import { matmul } from "../engine/matmul.ts";
import { pack } from "../engine/pack.ts";
import { adapterPlan } from "../engine/plans.ts";
import { domains, HostRandom } from "../engine/random.ts";
import { type Tensor, upload, zeros } from "../engine/tensor.ts";
import { createTimer, measure } from "../engine/timing.ts";
import { kernel } from "../kernels/kernel.ts";
import { backendOf } from "./backend.ts";

/** bert-base's attention for 512 tokens: [tokens, inputs] by [outputs, inputs]. */
const [tokens, inputs, outputs] = [512, 768, 768];

/** A subgroup makes 2 × 2 fragments, straight from memory; the same text for both kinds but for the types. */
function unitsKernel(kind: "f16" | "i8", [m, n, k]: readonly number[], lanes: number) {
  const [element, sum, perElement] = kind === "f16" ? ["f16", "f32", 1] : ["u32", "i32", 4];
  const pairs = [[0, 0], [0, 1], [1, 0], [1, 1]];
  const each = (text: (i: number, j: number) => string) =>
    pairs.map(([i, j]) => text(i, j)).join("\n  ");
  const stride = inputs / perElement;
  const load = (name: string, role: string, sizes: string, order: string, first: string) =>
    `let ${name} = subgroupMatrixLoad<subgroup_matrix_${role}<${kind}, ${sizes}>, ${order}_major>` +
    `(&${role}, (${first}) * ${stride} + k / ${perElement}, ${stride});`;
  const source = `
struct Params {
  columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<${element}>;
@group(0) @binding(2) var<storage, read> right: array<${element}>;
@group(0) @binding(3) var<storage, read> rowScales: array<f32>;
@group(0) @binding(4) var<storage, read> columnScales: array<f32>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;
var<workgroup> tile: array<${sum}, ${4 * m * n}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.y * ${2 * m};
  let column = group.x * ${2 * n};
  ${each((i, j) => `var c${i}${j} = subgroup_matrix_result<${sum}, ${n}, ${m}>();`)}
  for (var k = 0u; k < ${inputs}; k += ${k}) {
    ${load("a0", "left", `${k}, ${m}`, "row", "row")}
    ${load("a1", "left", `${k}, ${m}`, "row", `row + ${m}`)}
    ${load("b0", "right", `${n}, ${k}`, "col", "column")}
    ${load("b1", "right", `${n}, ${k}`, "col", `column + ${n}`)}
    ${each((i, j) => `c${i}${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, c${i}${j});`)}
  }
  ${
    each((i, j) =>
      `subgroupMatrixStore<row_major>(&tile, ${i * m * 2 * n + j * n}, c${i}${j}, ${2 * n});`
    )
  }
  workgroupBarrier();
  for (var i = local; i < ${4 * m * n}; i += ${lanes}) {
    let y = row + i / ${2 * n};
    let x = column + i % ${2 * n};
    c[y * params.columns + x] = f32(tile[i]) * rowScales[y] * columnScales[x];
  }
}`;
  return kernel(`int8.${kind}`, source, "main");
}

/** Rows of i8 and a scale for each: the row's largest magnitude is 127. */
function quantise(values: Float32Array, columns: number): { bytes: Int8Array; scales: number[] } {
  const bytes = new Int8Array(values.length);
  const scales: number[] = [];
  for (let at = 0; at < values.length; at += columns) {
    const row = values.subarray(at, at + columns);
    const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30) / 127;
    scales.push(scale);
    row.forEach((value, i) => bytes[at + i] = Math.round(value / scale));
  }
  return { bytes, scales };
}

/** Normal values; `outliers` of the columns are 20 times as large, as some are in BERT's activations. */
function normals(rows: number, columns: number, seed: number, outliers = 0): Float32Array {
  const random = new HostRandom(seed, domains.sample);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const value = radius * Math.cos(2 * Math.PI * random.uniform());
    return i % columns < outliers ? 20 * value : value;
  });
}

function exactProduct(x: Float32Array, w: Float32Array): number[] {
  return Array.from({ length: tokens * outputs }, (_, at) => {
    const [row, column] = [Math.floor(at / outputs) * inputs, at % outputs * inputs];
    let sum = 0;
    for (let k = 0; k < inputs; k++) sum += x[row + k] * w[column + k];
    return sum;
  });
}

function relativeError(actual: Float32Array, expected: readonly number[]): number {
  const [off, all] = expected.reduce(
    ([off, all], value, i) => [off + (actual[i] - value) ** 2, all + value ** 2],
    [0, 0],
  );
  return Math.sqrt(off / all);
}

type Config = {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
};

/** The adapter's largest fragment of a kind. */
async function fragmentOf(of: string, sums: string): Promise<number[]> {
  const { info } = (await navigator.gpu.requestAdapter())!;
  const { subgroupMatrixConfigs = [] } = info as unknown as { subgroupMatrixConfigs?: Config[] };
  const [largest] = [...subgroupMatrixConfigs]
    .filter((each) => each.componentType === of && each.resultComponentType === sums)
    .map(({ M, N, K }) => [M, N, K])
    .sort(([a, b, c], [d, e, f]) => d * e * f - a * b * c);
  if (!largest) throw new Error(`The adapter multiplies no ${of} with sums in ${sums}.`);
  return largest;
}

await backendOf([...Deno.args, "--backend=dawn"]);
const fragments = { f16: await fragmentOf("f16", "f32"), i8: await fragmentOf("i8", "i32") };
const units = await createDevice({ features: ["timestamp-query"], matmulPrecision: "f16" });
const { gpu, info, kernels } = units;
const lanes = (await navigator.gpu.requestAdapter())!.info.subgroupMaxSize;
const plain = new Device(gpu, info, { ...kernels, matmul: adapterPlan(info) });
const timer = await createTimer(units);
console.log(`${info.description}: [${tokens}, ${inputs}] by [${outputs}, ${inputs}]`);
for (const outliers of [0, 4]) {
  const [x, w] = [normals(tokens, inputs, 1, outliers), normals(outputs, inputs, 2)];
  const expected = exactProduct(x, w);
  const words = (halves: Uint16Array | Int8Array) =>
    new Uint32Array(halves.buffer, halves.byteOffset, halves.byteLength / 4);
  const tensor = (data: Float32Array | Uint32Array) => upload(units, [data.length], data);
  const byUnits = (kind: "f16" | "i8") => {
    const [a, b] = kind === "i8"
      ? [quantise(x, inputs), quantise(w, inputs)].map(({ bytes, scales }) => ({
        data: words(bytes),
        scales,
      }))
      : [x, w].map((values) => ({
        data: words(pack(values, "f16")),
        scales: new Array(values.length / inputs).fill(1),
      }));
    const [m, n] = fragments[kind];
    const c = zeros(units, [tokens, outputs]);
    const bindings = {
      left: tensor(a.data).binding,
      right: tensor(b.data).binding,
      rowScales: tensor(Float32Array.from(a.scales)).binding,
      columnScales: tensor(Float32Array.from(b.scales)).binding,
      c: c.binding,
    };
    const made = unitsKernel(kind, fragments[kind], lanes);
    const size = [outputs / (2 * n), tokens / (2 * m)] as const;
    return { c, run: () => units.launcher.launch(made, bindings, { columns: outputs }, size) };
  };
  const byEngine = (device: Device) => {
    const [a, b] = [upload(device, [tokens, inputs], x), upload(device, [outputs, inputs], w)];
    const c: Tensor = zeros(device, [tokens, outputs]);
    return { c, run: () => matmul("NT", a, b, c) };
  };
  const ways = {
    "f32, the engine's": [plain, byEngine(plain)],
    "f16, the engine's": [units, byEngine(units)],
    "f16, this kernel": [units, byUnits("f16")],
    "i8, this kernel": [units, byUnits("i8")],
  } as const;
  console.log(outliers ? `${outliers} columns of x 20 times as large` : "normal values");
  for (const [name, [device, { c, run }]] of Object.entries(ways)) {
    const own = device === units ? timer : await createTimer(device);
    const { fastest } = await measure(own, run, { samples: 9 });
    console.log(
      `  ${name.padEnd(18)} ${(1e3 * fastest).toFixed(1).padStart(7)} ms, off by ` +
        relativeError(await c.read(), expected).toExponential(1),
    );
  }
}
Deno.exit(0);
