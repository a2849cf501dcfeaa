/** Prints what `deno task test:dawn` runs: the kernel tests, or where Dawn cannot be used a test that says so. */
import { useBackend } from "../../cli/shared/backend.ts";

try {
  await useBackend("dawn");
  console.log("--preload test/dawn/preload.ts test/engine/");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log("test/dawn/left_out.ts");
}
Deno.exit(0);
