/** The tests that follow run on Dawn. */
import { useDawn } from "../../cli/shared/dawn.ts";
import { untilIdle } from "../../cli/shared/patience.ts";

await useDawn();
// A file's thread ends with its tests, some of which launch what they do not wait for.
Deno.test.afterAll(untilIdle);
