/** Preloaded by `deno task test:dawn`: the tests that follow run on Dawn, or are left out where it cannot be used. */
import { useBackend } from "../cli/shared/backend.ts";
import { messageOf, UserError } from "../models/errors.ts";

try {
  await useBackend("dawn");
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.log(`The tests on Dawn are left out: ${messageOf(error)}`);
  Deno.exit(0);
}
