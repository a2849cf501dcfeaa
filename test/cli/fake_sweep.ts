/**
 * `deno task sweep` with the fake training: itself the launcher, and with `task` as its first argument the program that trains
 * one task. FAKE_TOOLS holds the training's options as JSON.
 */
import { fileURLToPath } from "node:url";
import { main } from "../../cli/sweep.ts";
import { main as task } from "../../cli/sweep_task.ts";
import { fakeTools } from "./fake_tools.ts";

const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
const self = fileURLToPath(import.meta.url);
const { taskCode, ...options } = JSON.parse(Deno.env.get("FAKE_TOOLS") ?? "{}");
const [first, ...rest] = Deno.args;
const isListing = rest.includes("--dry_run");
Deno.exit(
  first === "task"
    ? await task(rest, () => Promise.resolve(fakeTools(options))) || (isListing ? 0 : taskCode)
    : await main(Deno.args, (args) => [
      Deno.execPath(),
      ["run", "-q", "--no-check", "--config", config, "-A", self, "task", ...args],
    ]),
);
