/** Preloaded by `deno task test:dawn`: the tests that follow run on Dawn, or are left out where it finds no adapter. */
import { useBackend } from "../cli/shared/backend.ts";

await useBackend("dawn");
if (await navigator.gpu.requestAdapter() === null) {
  console.log(
    "Dawn finds no adapter here, so its tests are left out. Of Mesa's llvmpipe it takes 25 and later.",
  );
  Deno.exit(0);
}
