/** What the facts mean for training: a line a matter, and what to do about it. */
import { neededBindings } from "../../engine/device.ts";
import { AdapterTooSmallError, NoAdapterError } from "../../engine/errors.ts";
import { listed } from "../../models/errors.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import type { AdapterFacts, DeviceFacts, Facts } from "./facts.ts";
import type { Backend } from "../shared/backend.ts";
import { countOf, formatAdapter, formatBytes, formatCount } from "../shared/format.ts";
import { harmless, type Output, paint, wrap } from "../shared/terminal.ts";

export interface Finding {
  /** A problem keeps training from working; a notice does not. */
  status: "ok" | "notice" | "problem";
  matter: string;
  text: string;
}

/** The series of Deno that `denow` takes. */
export const neededDeno = "2.9";
/** Bytes of workgroup memory that attention fills on a GPU, and that WebGPU grants everywhere. */
const neededWorkgroupBytes = 16384;
/** bert-base's largest tensor, the embeddings of its words, [30522, 768] in f32; it is bound whole. */
const bertBaseBytes = 30522 * 768 * 4;
/** Bytes in which bert-base, a run of full fine-tuning that replaces another, and others' files fit. */
const neededDisk = 2e9;
/** Of sums of at most 1024 products below 1: in f32 they are off by 1e-4 at most, in less by 1e-2. */
const tolerance = 1e-3;
/** Even two cores that play GPU are some 20 times as fast as JavaScript, but not where Mesa has no shader cache. */
const leastGain = 3;

/** Whether a device of the adapter can run all kernels. */
export function serves({ limits }: AdapterFacts): boolean {
  return limits.maxStorageBuffersPerShaderStage >= neededBindings &&
    limits.maxComputeWorkgroupStorageSize >= neededWorkgroupBytes;
}

/** What is to be said, matter by matter. */
export function findingsOf(facts: Facts): Finding[] {
  const { backend, adapter, device } = facts;
  return [
    denoFinding(facts.runtime),
    adapterFinding(adapter),
    ...(adapter ? [featuresFinding(adapter), limitsFinding(adapter)] : []),
    ...(device ? deviceFindings(device, backend) : []),
    hubCacheFinding(facts.hub_cache),
    diskFinding(facts.disk),
    tunedFinding(facts.tuned_kernels),
    tokenFinding(facts.token),
    hubFinding(facts.hub),
  ];
}

/** Whether training can work. */
export function canTrain(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== "problem");
}

function denoFinding({ deno, os, arch }: Facts["runtime"]): Finding {
  const matter = "Deno";
  const text = `${deno} on ${os}, ${arch}`;
  const [major, minor] = deno.split(".").map(Number);
  const [neededMajor, neededMinor] = neededDeno.split(".").map(Number);
  const ahead = major - neededMajor || minor - neededMinor;
  const advice = `${neededDeno} is needed: ./denow fetches it.`;
  if (ahead < 0) return { status: "problem", matter, text: `${text}; ${advice}` };
  if (ahead === 0) return { status: "ok", matter, text };
  return {
    status: "notice",
    matter,
    text: `${text}; tested with ${neededDeno}, which ./denow fetches.`,
  };
}

function adapterFinding(adapter: AdapterFacts | null): Finding {
  const matter = "Adapter";
  if (adapter === null) {
    return { status: "problem", matter, text: messageWithAdvice(new NoAdapterError()) };
  }
  const { vendor, architecture, software } = adapter;
  const text = [
    formatAdapter(adapter),
    ...(vendor ? [`vendor ${vendor}`] : []),
    ...(architecture ? [`architecture ${architecture}`] : []),
  ].join(", ");
  return software
    ? {
      status: "notice",
      matter,
      text: `${text}. bert-base is slow on it: use --model_name mini, a small model from a ` +
        `folder, or --max_samples.`,
    }
    : { status: "ok", matter, text };
}

function featuresFinding({ features, subgroup_min_size }: AdapterFacts): Finding {
  const found = (name: string) => `${name} ${features.includes(name) ? "yes" : "no"}`;
  const subgroups = subgroup_min_size > 0 ? `of ${subgroup_min_size} or more` : "no";
  const text = `${found("timestamp-query")}, subgroups ${subgroups}, ${found("shader-f16")}`;
  return { status: "ok", matter: "Features", text };
}

function limitsFinding({ description, limits }: AdapterFacts): Finding {
  const matter = "Limits";
  const offered = limits.maxStorageBuffersPerShaderStage;
  if (offered < neededBindings) {
    const error = new AdapterTooSmallError({ description, needed: neededBindings, offered });
    return { status: "problem", matter, text: messageWithAdvice(error) };
  }
  const workgroup = limits.maxComputeWorkgroupStorageSize;
  const needed = formatBytes(neededWorkgroupBytes);
  if (workgroup < neededWorkgroupBytes) {
    const text = `${formatBytes(workgroup)} of workgroup memory; ${needed} are needed. Use ` +
      `another adapter: see README, "No GPU".`;
    return { status: "problem", matter, text };
  }
  const { maxStorageBufferBindingSize: binding, maxBufferSize: buffer } = limits;
  const text = `${offered} buffers a kernel (${neededBindings} needed), ` +
    `${formatBytes(workgroup)} of workgroup memory (${needed} needed), ` +
    `${formatBytes(binding)} a binding, ${formatBytes(buffer)} a buffer, textures of ` +
    `${formatCount(limits.maxTextureDimension2D)} texels a side`;
  if (Math.min(binding, buffer) >= bertBaseBytes) return { status: "ok", matter, text };
  const advice = `bert-base has a tensor of ${formatBytes(bertBaseBytes)}: use --model_name mini ` +
    `or another small model.`;
  return { status: "notice", matter, text: `${text}. ${advice}` };
}

function deviceFindings({ product, matrix_units }: DeviceFacts, backend: Backend): Finding[] {
  const matter = "Matrix units";
  const other = backend === "deno" ? ", or try --backend dawn" : "";
  const text = "refused" in matrix_units
    ? `refused, so leave --matmul_precision at f32${other} (${matrix_units.refused})`
    : `granted, ${matrix_units.granted} of f16 with sums in f32: --matmul_precision f16 can use them`;
  const units: Finding = { status: "ok", matter, text };
  return [productFinding(product), ...("error" in product ? [] : [units])];
}

function productFinding(product: DeviceFacts["product"]): Finding {
  const matter = "Product";
  if ("error" in product) {
    const text = `The GPU failed: ${product.error.replace(/\.$/, "")}. Update its driver, or see ` +
      `README, "No GPU".`;
    return { status: "problem", matter, text };
  }
  const { size, difference, gpu_gflops, host_gflops } = product;
  const text = `${size} × ${size} × ${size}: ${formatRate(gpu_gflops)} GFLOP/s on the GPU, ` +
    `${formatRate(host_gflops)} in JavaScript, at most ${difference.toExponential(1)} apart`;
  if (difference <= tolerance) {
    if (gpu_gflops >= leastGain * host_gflops) return { status: "ok", matter, text };
    const advice = "That is slow: another program may keep the machine busy, or Mesa's software " +
      "adapter is without its shader cache. Unset MESA_SHADER_CACHE_DISABLE; XDG_CACHE_HOME, where " +
      "it is set, must name a folder that can be written.";
    return { status: "notice", matter, text: `${text}. ${advice}` };
  }
  return {
    status: "problem",
    matter,
    text: `${text}, where ${tolerance.toExponential(0)} is allowed: the GPU computes wrongly. ` +
      `Update its driver, and please report it with --json.`,
  };
}

const formatRate = (rate: number) => rate >= 99.95 ? formatCount(rate) : rate.toFixed(1);

function hubCacheFinding(cache: Facts["hub_cache"]): Finding {
  const matter = "Hub's cache";
  if ("error" in cache) {
    const text = `${cache.path} cannot be read (${cache.error}): make it readable, or set ` +
      `HF_HUB_CACHE to another folder.`;
    return { status: "notice", matter, text };
  }
  const { path, models, datasets, bytes } = cache;
  const nothing = models.length + datasets.length === 0;
  const held = nothing ? "empty" : [
    counted(models, "model"),
    counted(datasets, "data set"),
    formatBytes(bytes),
  ].join(", ");
  return { status: "ok", matter, text: `${path}: ${held}` };
}

function diskFinding(disk: Facts["disk"]): Finding {
  const matter = "Disk";
  if ("error" in disk) {
    return { status: "ok", matter, text: `how much is free cannot be told (${disk.error})` };
  }
  const { results, hub_cache } = disk;
  const [free, cacheFree] = [results, hub_cache].map(({ free_bytes }) => formatBytes(free_bytes));
  const text = free === cacheFree
    ? `${free} free where results go and for the hub's cache`
    : `${free} free where results go, ${cacheFree} for the hub's cache`;
  if (Math.min(results.free_bytes, hub_cache.free_bytes) >= neededDisk) {
    return { status: "ok", matter, text };
  }
  const advice =
    "bert-base is 440 MB, and so is each run of full fine-tuning: free some, or name " +
    "other disks with --output_dir and HF_HUB_CACHE.";
  return { status: "notice", matter, text: `${text}. ${advice}` };
}

function tunedFinding(tuned: Facts["tuned_kernels"]): Finding {
  const matter = "Tuned kernels";
  if ("error" in tuned) {
    const text = `${tuned.path} is damaged, or another version's: the next training tunes again ` +
      `and writes it anew. Where it cannot, delete it.`;
    return { status: "notice", matter, text };
  }
  if (tuned.adapters === null) {
    return { status: "ok", matter, text: `${tuned.path}: none yet, the first training tunes` };
  }
  // A key starts with the adapter's description; others differ in limits or the kernels' version.
  const names = [...new Set(tuned.adapters.map((key) => key.split("|")[0]))];
  return { status: "ok", matter, text: `${tuned.path}: of ${names.join("; ") || "no adapter"}` };
}

function tokenFinding(token: Facts["token"]): Finding {
  const matter = "HF_TOKEN";
  if (typeof token === "object") return { status: "problem", matter, text: token.error };
  const text = token === "set" ? "set" : "not set, as public models and data sets need none";
  return { status: "ok", matter, text };
}

function hubFinding(hub: Facts["hub"]): Finding {
  const matter = "Hub";
  const { endpoint } = hub;
  if ("unasked" in hub) {
    return { status: "ok", matter, text: `${endpoint} was not asked (${hub.unasked})` };
  }
  const local = "What is cached, mini, the sample and local folders work without it.";
  if ("error" in hub) {
    const text = `${endpoint} is out of reach (${hub.error}). ${local}`;
    return { status: "notice", matter, text };
  }
  if (hub.status < 500) return { status: "ok", matter, text: `${endpoint} answers` };
  const text = `${endpoint} answers with status ${hub.status}: try later. ${local}`;
  return { status: "notice", matter, text };
}

/** `2 models (a, b)` */
function counted(names: readonly string[], what: string): string {
  const { length } = names;
  const count = countOf(length, what);
  return length === 0 ? count : `${count} (${listed(names, 5)})`;
}

const colors = { ok: "green", notice: "yellow", problem: "red" } as const;
/** Columns of the status and of the matter, with what parts them from the next. */
const [statusColumns, matterColumns] = [9, 15];

/** The findings as lines, as wide as the output as far as paths allow. */
export function findingLines(findings: readonly Finding[], output: Output): string[] {
  const width = Math.max(20, output.columns() - statusColumns - matterColumns);
  return findings.flatMap(({ status, matter, text }) =>
    wrap(text, width).map((line, index) => {
      const first = index === 0;
      const state = first ? paint(output, colors[status], status) : "";
      const gap = " ".repeat(statusColumns - (first ? status.length : 0));
      return `${state}${gap}${(first ? matter : "").padEnd(matterColumns)}${harmless(line)}`;
    })
  );
}
