/** Made-up results for the tests of tables, plots and the README's section. */
import type {
  KernelResult,
  MpiResult,
  PeerResult,
  StepResult,
  StepRow,
} from "../../bench/schema.ts";

const head = {
  version: 1 as const,
  created: "2026-11-23T12:00Z",
  machine: { processor: "Some CPU", cores: 2, os: "linux", runtime: "Deno 2.9.6" },
  adapter: {
    description: "Some GPU (driver 1.0)",
    vendor: "",
    architecture: "",
    software: false,
    subgroupSize: 32,
  },
};

const kernel = (name: string, shape: string, seconds: number) => ({
  kernel: name,
  shape,
  seconds,
  spread: 0.1,
  repeats: 10,
  launches: 1,
  flops: 1e9,
  bytes: 1e7,
  gflops: 1 / seconds,
  gbps: 0.01 / seconds,
  percent: 42,
  limit: "arithmetic" as const,
});

export const kernelResult: KernelResult = {
  kind: "kernels",
  ...head,
  timing: "timestamp-query",
  ceilings: {
    flopsPerSecond: 50e12,
    copies: [{ bytes: 4 << 20, bytesPerSecond: 3e12 }, { bytes: 256 << 20, bytesPerSecond: 2e12 }],
  },
  results: [
    kernel("matmul.NT", "384×768×768", 1e-4),
    kernel("attention.backward_key_value", "16×24, 12 heads", 2e-3),
    kernel("cross_entropy.mean", "16×13", 5e-6),
  ],
};

export const stepRow = (change: Partial<StepRow> = {}): StepRow => ({
  engine: "ours",
  device: head.adapter.description,
  model: "base",
  method: "lora",
  batch: 16,
  length: 32,
  padding: "none",
  precision: "f32",
  tokens: 512,
  steps: 30,
  milliseconds: 20,
  spread: 0.05,
  tokensPerSecond: 25600,
  dispatches: 511,
  recordMilliseconds: 1.5,
  submitMilliseconds: 0.5,
  peakBytes: 700e6,
  ...change,
});

export const stepResult: StepResult = {
  kind: "steps",
  ...head,
  results: ["full", "lora", "adapter"].flatMap((method, index) => [
    ...[4, 16, 64].map((batch) => stepRow({ method, batch, milliseconds: batch * (3 - index) })),
    ...[8, 512].map((length) => stepRow({ method, length, milliseconds: length * (3 - index) })),
    stepRow({ method, length: "emotion", milliseconds: 12 }),
  ]),
};

export const torchResult: StepResult = {
  kind: "steps",
  ...head,
  results: [stepRow({
    engine: "PyTorch 2.15.0",
    length: "emotion",
    padding: "512",
    milliseconds: 60,
    dispatches: null,
    recordMilliseconds: null,
    submitMilliseconds: null,
    peakBytes: null,
  })],
};

export const peerResult: PeerResult = {
  kind: "peers",
  ...head,
  results: [
    { kernel: "matmul.NT", shape: "384×768×768", unit: "GFLOP/s", ours: 20, jax_js: 4, tfjs: 5 },
    { kernel: "softmax", shape: "384×768", unit: "GB/s", ours: 1, jax_js: 0.5, tfjs: null },
  ],
};

const where = { ranks: 2, hosts: 2, network: "a cable" };

export const mpiResult: MpiResult = {
  kind: "mpi",
  ...head,
  library: "An MPI 1.0",
  copies: [{ bytes: 4, milliseconds: 11, fastestMilliseconds: 10 }],
  reductions: [{ ...where, bytes: 4, milliseconds: 2, fastestMilliseconds: 1 }],
  steps: [{
    ...where,
    model: "mini",
    method: "lora",
    scaling: "weak",
    batch: 32,
    length: 32,
    bytes: 72_200,
    milliseconds: 20,
    sumMilliseconds: 2,
  }],
};
