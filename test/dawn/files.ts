/** Prints what `deno task test:dawn` runs: the tests of kernels and matrix units, or where Dawn cannot be used a test that says so. */
import { useDawn } from "../../cli/shared/dawn.ts";

try {
  await useDawn();
  console.log("--preload test/dawn/preload.ts test/engine/ test/training/matmul_precision_test.ts");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log("test/dawn/left_out.ts");
}
Deno.exit(0);
