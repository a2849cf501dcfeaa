/**
 * Matrix units played by plain WGSL, so that the kernel for them runs on any adapter at any fragment: its text, with
 * functions for what the extensions' words do. An operand's fragment is where it lies in its tile; of a result's each
 * invocation of the subgroup has its share. Values are those of f16, held in f32.
 */
import type { Device } from "../../engine/device.ts";
import { kernel } from "../../kernels/kernel.ts";
import type { CooperativePlan, Kernel } from "../../kernels/mod.ts";

/** Rows and columns. */
type Size = readonly [rows: number, columns: number];
type Order = "row" | "col";
/** Whether a fragment's rows or its columns lie one after another in a tile, and the tile. */
type Place = readonly [order: Order, tile: string];

/** The sizes of the fragments that a text names, A, B and C. Throws where they cannot be multiplied. */
function fragmentSizes(source: string): [a: Size, b: Size, c: Size] {
  const tint =
    /alias Fragment([ABC]) = subgroup_matrix_(left|right|result)<(f16|f32), (\d+), (\d+)>;/g;
  const wgpu = /alias Fragment([ABC]) = coop_mat(\d+)x(\d+)<(f16|f32), ([ABC])>;/g;
  const found = [
    ...[...source.matchAll(tint)].map(([, name, role, type, columns, rows]) => ({
      what: `${name} ${{ left: "A", right: "B", result: "C" }[role]} ${type}`,
      size: [Number(rows), Number(columns)] as const,
    })),
    ...[...source.matchAll(wgpu)].map(([, name, columns, rows, type, role]) => ({
      what: `${name} ${role} ${type}`,
      size: [Number(rows), Number(columns)] as const,
    })),
  ];
  const what = found.map((each) => each.what).join();
  const [a, b, c] = found.map(({ size }) => size);
  const fits = () => a[1] === b[0] && c[0] === a[0] && c[1] === b[1];
  if (what !== "A A f16,B B f16,C C f32" || !fits()) {
    throw new Error(
      `No fragments of one product: ${found.map((each) => `${each.what} ${each.size}`)}.`,
    );
  }
  return [a, b, c];
}

/** Value [row, column] of what starts at vec4 number `at` of a tile, in rows (columns) `pitch` vec4s apart. */
function valueIn([order, tile]: Place, at: string, pitch: string, row: string, column: string) {
  const [line, along] = order === "row" ? [row, column] : [column, row];
  return `${tile}[${at} + (${line}) * ${pitch} + (${along}) / 4][(${along}) % 4]`;
}

/** What the words do: a lane has every `lanes`th value of a result. */
function functionsFor(
  [[, inner], , [rows, columns]]: [Size, Size, Size],
  lanes: number,
  places: { a: Place; b: Place; c: Place },
): string {
  const own = Array.from({ length: Math.ceil(rows * columns / lanes) }, (_, i) => i);
  const at = (i: number) =>
    `let at${i} = lane + ${i * lanes}u;
  let row${i} = at${i} / ${columns}u;
  let column${i} = at${i} % ${columns}u;`;
  const lines = (line: (i: number) => string) => own.map(line).join("\n  ");
  return `
alias FragmentA = vec2u;
alias FragmentB = vec2u;
alias FragmentC = array<f32, ${own.length}>;

fn multiplyFragments(lane: u32, a: FragmentA, b: FragmentB, given: FragmentC) -> FragmentC {
  var c = given;
  ${lines(at)}
  for (var k = 0u; k < ${inner}u; k++) {
    ${
    lines((i) =>
      `c[${i}] += ${valueIn(places.a, "a.x", "a.y", `row${i}`, "k")} * ` +
      `${valueIn(places.b, "b.x", "b.y", "k", `column${i}`)};`
    )
  }
  }
  return c;
}

fn storeFragment(lane: u32, at: u32, pitch: u32, c: FragmentC) {
  ${lines(at)}
  ${
    lines((i) =>
      `if (row${i} < ${rows}u) { ${
        valueIn(places.c, "at", "pitch", `row${i}`, `column${i}`)
      } = c[${i}]; }`
    )
  }
}
`;
}

/** The text of a kernel for matrix units without their words. Throws where one is left. */
export function withoutUnits({ source }: Kernel, { lanes }: CooperativePlan): string {
  const sizes = fragmentSizes(source);
  const places: Partial<Record<"a" | "b" | "c", Place>> = {};
  const place = (fragment: string, order: string, tile: string) => {
    const key = fragment.toLowerCase() as "a" | "b" | "c";
    const known = places[key] ??= [order as Order, tile];
    if (known[0] !== order || known[1] !== tile) throw new Error(`Two places of ${fragment}.`);
  };
  const load = (fragment: string, order: string, tile: string, at: string, pitch: string) => {
    place(fragment, order, tile);
    return `vec2u(${at}, ${pitch})`;
  };
  const lane = `local % ${lanes}`;
  const store = (order: string, tile: string, at: string, value: string, pitch: string) => {
    place("C", order, tile);
    return `storeFragment(${lane}, ${at}, ${pitch}, ${value})`;
  };
  const byTurn = (turned: string) => turned ? "row" : "col";
  const text = source
    .replace(/\/\/.*/g, "")
    .replace(
      /subgroupMatrixLoad<Fragment(\w), (row|col)_major>\(&(\w+), (\w+), (\w+)\)/g,
      (_, fragment, order, tile, at, pitch) => load(fragment, order, tile, at, pitch),
    )
    .replace(
      /coopLoad(T?)<Fragment(\w)>\(&(\w+)\[(\w+)\], (\w+)\)/g,
      (_, turned, fragment, tile, at, pitch) => load(fragment, byTurn(turned), tile, at, pitch),
    )
    .replace(
      /subgroupMatrixStore<(row|col)_major>\(&(\w+), (\w+), (\w+), (\w+)\)/g,
      (_, order, tile, at, value, pitch) => store(order, tile, at, value, pitch),
    )
    .replace(
      /coopStore(T?)\((\w+), &(\w+)\[(\w+)\], (\w+)\)/g,
      (_, turned, value, tile, at, pitch) => store(byTurn(turned), tile, at, value, pitch),
    )
    .replace(/(subgroupMatrixMultiplyAccumulate|coopMultiplyAdd)\(/g, `multiplyFragments(${lane}, `)
    .replace(/alias Fragment[ABC] = [^;]*;/g, "")
    .replace("@builtin(subgroup_id) subgroup: u32,", "")
    .replace("let part = subgroup %", `let part = local / ${lanes} %`)
    .replaceAll("vec4<f16>(value", "quantizeToF16(value")
    .replaceAll("vec4<f16>", "vec4f");
  const left = /\b(coop|subgroup)\w*|\bf16\b/.exec(text)?.[0];
  const { a, b, c } = places;
  if (left || !a || !b || !c) throw new Error(`No plain WGSL is known for "${left ?? "nothing"}".`);
  return text + functionsFor(sizes, lanes, { a, b, c });
}

/** Has a device take its products' kernels without matrix units, though they are made for them. */
export function playUnits(device: Device, plan: CooperativePlan): Device {
  const { launcher } = device;
  const launch = launcher.launch.bind(launcher);
  const played = new Map<Kernel, Kernel>();
  launcher.launch = (made, ...rest) => {
    if (!made.extensions?.has(plan.extension)) return launch(made, ...rest);
    let own = played.get(made);
    if (!own) played.set(made, own = kernel("matmul.played", withoutUnits(made, plan), "main"));
    launch(own, ...rest);
  };
  return device;
}
