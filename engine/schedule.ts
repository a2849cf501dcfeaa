/** How the learning rate moves over a run, as transformers' schedules of the same names. */
export const schedulers = ["linear", "cosine", "constant", "constant_with_warmup"] as const;
export type Scheduler = typeof schedulers[number];

/**
 * The learning rate's factor, 0 to 1, at a step (from 0). All but `constant` rise linearly over the warm-up, at whose
 * first step the factor is 0; then `linear` falls to 0 at `totalSteps` linearly and `cosine` along half a wave.
 * Source: transformers' get_scheduler (src/transformers/optimization.py).
 */
export function scheduleFactor(
  scheduler: Scheduler,
  step: number,
  { warmupSteps, totalSteps }: { warmupSteps: number; totalSteps: number },
): number {
  if (scheduler === "constant") return 1;
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  const left = (totalSteps - step) / Math.max(1, totalSteps - warmupSteps);
  switch (scheduler) {
    case "linear":
      return Math.max(0, left);
    case "cosine":
      return Math.max(0, 0.5 * (1 - Math.cos(Math.PI * left)));
    case "constant_with_warmup":
      return 1;
  }
}
