/** The JSON that the benchmarks write and read; README.md beside this file says what the fields mean. */
import * as v from "valibot";

const positive = v.pipe(v.number(), v.minValue(0));

const Machine = v.object({
  /** Model of the processor. */
  processor: v.string(),
  cores: v.number(),
  os: v.string(),
  runtime: v.string(),
});

const Adapter = v.object({
  description: v.string(),
  vendor: v.string(),
  architecture: v.string(),
  software: v.boolean(),
  subgroupSize: v.number(),
});

const head = { version: v.literal(1), created: v.string(), machine: Machine, adapter: Adapter };

const KernelRow = v.object({
  kernel: v.string(),
  shape: v.string(),
  seconds: positive,
  spread: v.number(),
  repeats: v.number(),
  launches: v.number(),
  flops: positive,
  bytes: positive,
  gflops: positive,
  gbps: positive,
  percent: positive,
  limit: v.picklist(["arithmetic", "memory"]),
});

const KernelResult = v.object({
  kind: v.literal("kernels"),
  ...head,
  timing: v.picklist(["timestamp-query", "wall clock"]),
  ceilings: v.object({
    flopsPerSecond: positive,
    copies: v.array(v.object({ bytes: positive, bytesPerSecond: positive })),
  }),
  results: v.array(KernelRow),
});
export type KernelResult = v.InferOutput<typeof KernelResult>;

const StepRow = v.object({
  engine: v.string(),
  device: v.string(),
  model: v.string(),
  method: v.string(),
  batch: v.number(),
  length: v.union([v.number(), v.string()]),
  padding: v.string(),
  precision: v.string(),
  tokens: v.number(),
  steps: v.number(),
  milliseconds: positive,
  spread: v.number(),
  tokensPerSecond: positive,
  dispatches: v.nullable(v.number()),
  recordMilliseconds: v.nullable(v.number()),
  submitMilliseconds: v.nullable(v.number()),
  peakBytes: v.nullable(v.number()),
  profile: v.optional(v.array(v.object({
    kernel: v.string(),
    launches: v.number(),
    milliseconds: positive,
  }))),
});
export type StepRow = v.InferOutput<typeof StepRow>;

const StepResult = v.object({ kind: v.literal("steps"), ...head, results: v.array(StepRow) });
export type StepResult = v.InferOutput<typeof StepResult>;

const PeerRow = v.object({
  kernel: v.string(),
  shape: v.string(),
  unit: v.picklist(["GFLOP/s", "GB/s"]),
  ours: positive,
  jax_js: v.nullable(positive),
  tfjs: v.nullable(positive),
});
export type PeerRow = v.InferOutput<typeof PeerRow>;

const PeerResult = v.object({ kind: v.literal("peers"), ...head, results: v.array(PeerRow) });
export type PeerResult = v.InferOutput<typeof PeerResult>;

/** Where ranks ran: so many on so many hosts, and the network between these, by the name that it was given. */
const ranks = { ranks: v.number(), hosts: v.number(), network: v.string() };

const ReductionRow = v.object({
  ...ranks,
  bytes: v.number(),
  milliseconds: positive,
  fastestMilliseconds: positive,
});
export type ReductionRow = v.InferOutput<typeof ReductionRow>;

const SharedStepRow = v.object({
  ...ranks,
  model: v.string(),
  method: v.string(),
  scaling: v.picklist(["strong", "weak"]),
  batch: v.number(),
  length: v.union([v.number(), v.string()]),
  bytes: v.number(),
  milliseconds: positive,
  sumMilliseconds: positive,
});
export type SharedStepRow = v.InferOutput<typeof SharedStepRow>;

const CopyRow = v.object({
  bytes: v.number(),
  milliseconds: positive,
  fastestMilliseconds: positive,
});
export type CopyRow = v.InferOutput<typeof CopyRow>;

const MpiResult = v.object({
  kind: v.literal("mpi"),
  ...head,
  library: v.string(),
  copies: v.array(CopyRow),
  reductions: v.array(ReductionRow),
  steps: v.array(SharedStepRow),
});
export type MpiResult = v.InferOutput<typeof MpiResult>;

const Result = v.variant("kind", [KernelResult, StepResult, PeerResult, MpiResult]);
export type Result = v.InferOutput<typeof Result>;

/** The results in a document: itself, or those that one of bench/gpu.sh or of the page holds. Throws as `parseResult`. */
export function resultsIn(document: unknown, file: string): Result[] {
  const kind = typeof document === "object" && document !== null && "kind" in document
    ? document.kind
    : undefined;
  if (kind !== "gpu" && kind !== "page") return [parseResult(document, file)];
  return Object.values(document as object).flatMap((part) =>
    typeof part === "object" && part !== null && "kind" in part ? resultsIn(part, file) : []
  );
}

/** Checks a document. Throws, naming `file` and the field, where it is none of the benchmarks' results. */
export function parseResult(document: unknown, file: string): Result {
  const parsed = v.safeParse(Result, document);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${file}: ${v.getDotPath(issue) ?? "the document"}: ${issue.message}.`);
}
