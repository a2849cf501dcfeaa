/** Which tests of test/engine/ the browser runs. */

/** Files that cannot run in a page, and why. */
export const leftOut: Record<string, string> = {
  "names_test.ts": "it reads this project's sources",
};

/** How the names of tests begin that take long on a software adapter, for what others try too. */
export const slow: readonly string[] = [
  "f16 activations, as a GPU does: every operation", // one of two ways to write the same
  "attention: rows handed round among four", // as SwiftShader's own in operations_test.ts
  "matmul, broadcast plan: another tile",
  "matmul, broadcast plan: operands in textures",
  "matmul, plain plan: another tile",
  "matmul, workgroup plan: another tile",
  "matrix units, played", // as on every adapter
];
