/** The tests that follow run on Dawn. */
import { useDawn } from "../../cli/shared/dawn.ts";

await useDawn();
