/** Hyperparameters as `run.json` has them, whoever writes it. */
import type { Hyperparameters } from "./events.ts";

/**
 * Under the flags' snake_case names. What is not used is left out, so that runs compare as equal with those from before
 * there was a choice.
 */
export function hyperparameterReport(values: Hyperparameters) {
  return {
    learning_rate: values.learningRate,
    batch_size: values.batchSize,
    gradient_accumulation_steps: values.gradientAccumulationSteps,
    ...(values.maxSteps === undefined
      ? { num_epochs: values.epochs }
      : { max_steps: values.maxSteps }),
    ...(values.evalSteps !== undefined && { eval_steps: values.evalSteps }),
    ...(values.earlyStoppingPatience !== undefined &&
      { early_stopping_patience: values.earlyStoppingPatience }),
    ...(values.labelSmoothing && { label_smoothing: values.labelSmoothing }),
    ...(values.classWeights !== undefined && { class_weights: values.classWeights }),
    lr_scheduler: values.scheduler,
    ...(values.warmupRatio === undefined
      ? { warmup_steps: values.warmupSteps }
      : { warmup_ratio: values.warmupRatio }),
    weight_decay: values.weightDecay,
    max_length: values.maxLength,
    max_grad_norm: values.maxGradNorm,
    seed: values.seed,
    frozen_dtype: values.frozenDtype,
    matmul_precision: values.matmulPrecision,
    compute_dtype: values.computeDtype,
  };
}
