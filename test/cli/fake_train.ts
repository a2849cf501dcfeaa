/** `deno task train` with the fake training; FAKE_TOOLS holds its options as JSON. */
import { main } from "../../cli/train.ts";
import { fakeTools } from "./fake_tools.ts";

const options = JSON.parse(Deno.env.get("FAKE_TOOLS") ?? "{}");
Deno.exit(await main(Deno.args, () => Promise.resolve(fakeTools(options))));
