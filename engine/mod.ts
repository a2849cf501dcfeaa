/**
 * The engine's public face: what models, command line and benchmarks build on. It runs wherever there is WebGPU,
 * a browser included. What needs an error's class or a type only takes that file, and loads no kernel.
 */

// A GPU: its adapter, and the engine's state on it.
export type { DeviceInfo } from "./adapter.ts";
export { createDevice, Device, neededBindings } from "./device.ts";
export type { BatchStart, DeviceOptions, KernelChoice } from "./device.ts";

// What goes wrong on it, as facts; whoever shows them says what to do.
export * from "./errors.ts";
export { isSoftware } from "./adapter.ts";
export { CooperativeError, fragmentText } from "./matrix_units.ts";
export { formatBytes } from "./bytes.ts";

// Tensors: a shape over a piece of a buffer, in a step's arena or until destroyed.
export {
  activationDtype,
  clear,
  empty,
  part,
  persistent,
  Tensor,
  upload,
  uploadTogether,
  zeros,
} from "./tensor.ts";
export type { UploadPart } from "./tensor.ts";
export { sizeOf } from "./shape.ts";

// Values in 16 bits for frozen weights and activations, and how operands enter a product.
export { bytesPerValue, dtypes, pack, unpack } from "./pack.ts";
export type { Dtype, PackedDtype } from "./pack.ts";
export { computeDtypes, matmulPrecisions } from "./precision.ts";
export type { ComputeDtype, MatmulPrecision } from "./precision.ts";

// Operations, forward and backward.
export * from "./ops/mod.ts";
export { matmul } from "./matmul.ts"; // the product alone, without a gradient
export { applyEnd } from "./linear_end.ts";
export { rowIndex, rowIndices } from "./ops/embedding.ts";
export type { RowIndex } from "./ops/embedding.ts";
export type { PackedRows } from "./ops/mean_pool.ts";

// The tape: gradients, evaluation without them, less memory for more time; `record` is for operations.
export { checkpoint, noGrad, record, scope, withTape } from "./tape.ts";

// A model's parameters, and the two halves of a step: gradients and loss added up, then the update.
export { Parameters } from "./parameters.ts";
export type { ParameterInfo, Slab } from "./parameters.ts";
export { AdamW, historySlots, setOrAdd } from "./optimizer.ts";
export type { AdamWOptions, AdamWState, StepRecord } from "./optimizer.ts";
export { scheduleFactor, schedulers } from "./schedule.ts";
export type { Scheduler } from "./schedule.ts";

// Values that the host changes between the halves, such as gradients that machines sum.
export { Exchange } from "./exchange.ts";

// Random numbers that depend on seed, use and place only.
export { domains, HostRandom, randomKey } from "./random.ts";
export type { Domain } from "./random.ts";
export { fnv1a } from "./hash.ts";

// Plans of matrix products: timed for an adapter, class of shapes by class of shapes.
export { tunePlans, tuningKey } from "./tuner.ts";
export type { Tuned, TuneOptions } from "./tuner.ts";
export {
  candidatePlans,
  cooperativePlan,
  fixedCooperativePlan,
  plansAmong,
  registerPlan,
  samePlan,
  shapeClass,
  workgroupPlan,
} from "./plans.ts";
export type { Product, RefusedPlan, TunedPlans } from "./plans.ts";

// What a step launches and how much memory it takes, found out without a GPU doing anything.
export { traceDevice, traceProducts } from "./trace.ts";

// Times on the GPU, for benchmarks.
export { createTimer, measure, median, Stamps } from "./timing.ts";
export type { Timer, Timing } from "./timing.ts";
export { profile } from "./profile.ts";
export type { KernelShare } from "./profile.ts";
