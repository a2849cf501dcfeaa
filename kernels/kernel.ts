/** What a kernel is: text, entry point, and the interface that is read off the text. */
import randomSource from "./random.wgsl" with { type: "text" };

/** A compute kernel, as text. The engine compiles it when it is first launched. */
export interface Kernel {
  /** File and entry point, e.g. `gelu.forward`; errors and timings carry it. */
  readonly name: string;
  readonly source: string;
  readonly entryPoint: string;
  /** WGSL variable → binding number. */
  readonly bindings: ReadonlyMap<string, number>;
  /** Those of the variables that are textures, and the type of their texels' parts; none where it is missing. */
  readonly textures?: ReadonlyMap<string, "f32" | "u32">;
  /** Those of the variables that the kernel may write to; none where it is missing. */
  readonly written?: ReadonlySet<string>;
  /** The fields of `struct Params`, in order, all 32-bit scalars. */
  readonly params: readonly { name: string; type: "u32" | "f32" }[];
  /** Values for the source's `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** What the text uses of what WGSL has for some adapters only; nothing where it is missing. */
  readonly extensions?: ReadonlySet<Extension>;
}

/** An extension of WGSL. A device's dialect says how a text names it: see engine/dialect.ts. */
export type Extension = "f16" | "subgroups" | MatrixExtension;

/** Those that have matrix units, of two compilers: see matmul_cooperative.wgsl. */
export type MatrixExtension = "wgpu_cooperative_matrix" | "chromium_experimental_subgroup_matrix";

const extensionUses: Record<Extension, RegExp> = {
  f16: /\b(f16|vec[234]h)\b/,
  subgroups: /\bsubgroup[A-Z_]\w*/,
  wgpu_cooperative_matrix: /\bcoop_mat\d/,
  chromium_experimental_subgroup_matrix: /\bsubgroup_matrix_/,
};

/** Reads a kernel's interface off its text, so that the text is the only place that states it. */
export function kernel(
  file: string,
  source: string,
  entryPoint: string,
  constants: Record<string, number> = {},
): Kernel {
  const bindings = new Map<string, number>();
  const textures = new Map<string, "f32" | "u32">();
  const written = new Set<string>();
  const variable =
    /@binding\((\d+)\)\s+var(?:<([^>]*)>)?\s+(\w+)\s*:\s*(?:texture_2d<(f32|u32)>)?/g;
  for (const [, number, access, name, texel] of source.matchAll(variable)) {
    bindings.set(name, Number(number));
    if (texel === "f32" || texel === "u32") textures.set(name, texel);
    if (access?.includes("read_write")) written.add(name);
  }
  const struct = /struct Params \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const params = [...struct.matchAll(/^\s*(\w+): (u32|f32),/gm)].map(([, name, type]) => ({
    name,
    type: type as "u32" | "f32",
  }));
  const code = source.replace(/\/\/.*/g, "");
  const extensions = new Set(
    (Object.keys(extensionUses) as Extension[]).filter((name) => extensionUses[name].test(code)),
  );
  return {
    name: `${file}.${entryPoint}`,
    source,
    entryPoint,
    bindings,
    textures,
    written,
    params,
    constants,
    extensions,
  };
}

/** A kernel's text with the random numbers that it draws. */
export const withDropout = (source: string) => `${randomSource}\n${source}`;

/** A function whose results are kept, by its argument as JSON. */
export function cached<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<string, Value>();
  return (key) => {
    const text = JSON.stringify(key);
    let value = made.get(text);
    if (value === undefined) made.set(text, value = make(key));
    return value;
  };
}
