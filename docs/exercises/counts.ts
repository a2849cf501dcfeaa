/**
 * Exercise 1: how many parameters of bert-base-uncased train, with 13 classes? Replace each undefined by a number.
 * docs/exercises/1-counts.md
 */
export const answers: Record<string, number | undefined> = {
  "LoRA, rank 2, beside query, key and value": undefined,
  "LoRA, rank 8, beside intermediate.dense alone": undefined,
  "DoRA, rank 4, beside query and value": undefined,
  "adapters of size 16, houlsby": undefined,
  "IA3 on keys and values alone": undefined,
};
