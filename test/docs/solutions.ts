/** Reference solutions of the exercises, as edits of the project's files; `half` are on the way, and say what is missing. */

export interface Edit {
  file: string;
  /** What is replaced, each once there; undefined: the file is new. */
  find?: string;
  replace: string;
}

export interface Solution {
  /** Edits that do not do yet, and what is said of them. */
  half: { edits: Edit[]; says: RegExp };
  edits: Edit[];
  says: RegExp;
}

const counts: [question: string, count: number][] = [
  ["LoRA, rank 2, beside query, key and value", 120_589],
  ["LoRA, rank 8, beside intermediate.dense alone", 378_637],
  ["DoRA, rank 4, beside query and value", 175_885],
  ["adapters of size 16, houlsby", 618_637],
  ["IA3 on keys and values alone", 28_429],
];

const countEdits = counts.map(([question, count]): Edit => ({
  file: "docs/exercises/counts.ts",
  find: `"${question}": undefined`,
  replace: `"${question}": ${count}`,
}));

const placementInList: Edit = {
  file: "models/peft/adapter.ts",
  find: '["shared", "output", "pfeiffer",',
  replace: '["shared", "attention", "output", "pfeiffer",',
};

const bitfit =
  `/** BitFit (Ben Zaken et al. 2022, arXiv:2106.10199): biases train, and the classifier; nothing is added. */
import { readJsonObject, toJson } from "../files/json.ts";
import type { MethodDefinition } from "./method.ts";
import { adapterConfigFile, readTensors } from "./run_files.ts";

export interface BitfitMethod {
  method: "bitfit";
}

export const bitfit: MethodDefinition<BitfitMethod, Record<never, never>> = {
  name: "bitfit",
  label: "BitFit",
  compared: false,
  trainsAll: false,
  settings: {},
  plan: () => [{ method: "bitfit" }],
  runName: () => "bitfit",
  configLabel: () => "-",
  report: () => ({}),
  fit: (method) => method,
  wrap: () => ({ trains: ({ kind, role }) => kind === "bias" || role === "head" }),
  merge: "its biases stand in the base's places: its folder and the base model are used together.",
  files: ({ baseModel, labels, weights }) => [
    { name: "biases.safetensors", tensors: weights },
    {
      name: adapterConfigFile,
      content: toJson({ adapter_type: "bitfit", base_model_name_or_path: baseModel.name, labels }),
    },
  ],
  owns: (fields) => fields?.adapter_type === "bitfit",
  async read(folder) {
    const { labels } = await readJsonObject(folder, adapterConfigFile);
    const tensors = await readTensors(folder, "biases.safetensors");
    return { method: { method: "bitfit" }, tensors, labels: labels as string[] };
  },
};
`;

const inTable: Edit[] = [
  {
    file: "models/peft/methods.ts",
    find: 'import { full } from "./full.ts";',
    replace: 'import { bitfit } from "./bitfit.ts";\nimport { full } from "./full.ts";',
  },
  {
    file: "models/peft/methods.ts",
    // Before the adapter, which owns every folder that PEFT does not.
    find: "export const methods = { full, lora, adapter,",
    replace: "export const methods = { full, lora, bitfit, adapter,",
  },
];

/** By the exercise's number; the kernel's is judged without a clock, below. */
export const solutions: Record<number, Solution> = {
  1: {
    half: { edits: countEdits.slice(0, 2), says: /Not yet\. "DoRA, rank 4.* has no answer yet/ },
    edits: countEdits,
    says: /Solved\. All five/,
  },
  2: {
    half: {
      edits: [placementInList],
      says: /no bottleneck but attention's; "bert\.encoder\.layer\.0\.output\.adapters/,
    },
    edits: [placementInList, {
      file: "models/peft/adapter.ts",
      find: 'if (part === "attention" && placement !== "houlsby") return undefined;',
      replace: `if (placement === "attention" ? part !== "attention" :
        part === "attention" && placement !== "houlsby") return undefined;`,
    }],
    says: /Solved\. The bottlenecks stand after attention, and compute/,
  },
  3: {
    half: {
      edits: [{
        file: "kernels/layer_norm.wgsl",
        find: "* rstd, gamma[i], shift));",
        replace: "* rstd, 1.01 * gamma[i], shift));",
      }],
      says: /Not yet\. The forward pass is wrong too, by \d/,
    },
    edits: [{
      file: "kernels/layer_norm.wgsl",
      find: " - means.x - normalised * means.y));",
      replace: " - means.x));",
    }],
    says: /Solved\. The gradient is off by up to \d.* Gradcheck does, at \[/,
  },
  4: {
    half: {
      edits: [
        ...inTable,
        {
          file: "models/peft/bitfit.ts",
          replace: bitfit.replace(
            'kind === "bias" ||',
            '(kind === "bias" && role !== "pooler") ||',
          ),
        },
      ],
      says: /Not yet\. "bert\.pooler\.dense\.bias" is a bias/,
    },
    edits: [...inTable, { file: "models/peft/bitfit.ts", replace: bitfit }],
    says: /Solved\. BitFit trains 112,909 parameters of bert-base/,
  },
};

/** A kernel of 64 invocations a row that reads four numbers at a time. */
export const fastKernel = `
struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> shares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let vectors = params.columns / 4;
  var sum = 0.0;
  for (var i = lane; i < vectors; i += 64) {
    let value = x[group.x * vectors + i];
    sum += dot(value, value);
  }
  shares[lane] = sum;
  workgroupBarrier();
  if (lane == 0) {
    var total = 0.0;
    for (var i = 0u; i < 64; i++) { total += shares[i]; }
    y[group.x] = total;
  }
}
`;
