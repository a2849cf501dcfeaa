/** The tests that follow run on Dawn. */
import { useBackend } from "../../cli/shared/backend.ts";

await useBackend("dawn");
