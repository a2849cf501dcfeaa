/** How operands enter a matrix product: as they are, or rounded to f16. Sums are f32. */
export const matmulPrecisions = ["f32", "f16"] as const;
export type MatmulPrecision = (typeof matmulPrecisions)[number];

/** How activations and their gradients lie in memory while a model computes. Arithmetic is f32 either way. */
export const computeDtypes = ["f32", "f16"] as const;
export type ComputeDtype = (typeof computeDtypes)[number];
