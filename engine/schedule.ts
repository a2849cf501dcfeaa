/**
 * The learning rate's factor at a step (from 0): it rises linearly over the warm-up, then falls linearly to
 * 0 at `totalSteps`, as transformers' get_linear_schedule_with_warmup. The first step's factor is 0.
 */
export function linearSchedule(step: number, warmupSteps: number, totalSteps: number): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}
