/** The sources that formulas point into, as they were when the page was built. */
import columnSum from "../../../kernels/column_sum.wgsl" with { type: "text" };
import crossEntropyKernels from "../../../kernels/cross_entropy.wgsl" with { type: "text" };
import adamwKernel from "../../../kernels/adamw.wgsl" with { type: "text" };
import gradientNorm from "../../../kernels/gradient_norm.wgsl" with { type: "text" };
import loraA from "../../../kernels/lora_a.wgsl" with { type: "text" };
import loraB from "../../../kernels/lora_b.wgsl" with { type: "text" };
import loraInterface from "../../../kernels/lora_interface.wgsl" with { type: "text" };
import matmulInterface from "../../../kernels/matmul_interface.wgsl" with { type: "text" };
import matmulWorkgroup from "../../../kernels/matmul_workgroup.wgsl" with { type: "text" };
import reluKernels from "../../../kernels/relu.wgsl" with { type: "text" };
import crossEntropy from "../../../engine/ops/cross_entropy.ts" with { type: "text" };
import linear from "../../../engine/ops/linear.ts" with { type: "text" };
import lora from "../../../engine/ops/lora.ts" with { type: "text" };
import relu from "../../../engine/ops/relu.ts" with { type: "text" };
import optimizer from "../../../engine/optimizer.ts" with { type: "text" };
import adapter from "../../../models/peft/adapter.ts" with { type: "text" };

export const sources = {
  "engine/ops/cross_entropy.ts": crossEntropy,
  "engine/ops/linear.ts": linear,
  "engine/ops/lora.ts": lora,
  "engine/ops/relu.ts": relu,
  "engine/optimizer.ts": optimizer,
  "models/peft/adapter.ts": adapter,
  "kernels/adamw.wgsl": adamwKernel,
  "kernels/column_sum.wgsl": columnSum,
  "kernels/cross_entropy.wgsl": crossEntropyKernels,
  "kernels/gradient_norm.wgsl": gradientNorm,
  "kernels/lora_a.wgsl": loraA,
  "kernels/lora_b.wgsl": loraB,
  "kernels/lora_interface.wgsl": loraInterface,
  "kernels/matmul_interface.wgsl": matmulInterface,
  "kernels/matmul_workgroup.wgsl": matmulWorkgroup,
  "kernels/relu.wgsl": reluKernels,
};

export type SourcePath = keyof typeof sources;
