/** `deno task train` with the fake training; FAKE_TOOLS holds its options as JSON. */
import { main } from "../../cli/train.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { resolveModel } from "../../models/host/resolve.ts";
import { fakeTools } from "./fake_tools.ts";

/** With `real` the model and the data are those that the command itself would find. */
const { real, ...options } = JSON.parse(Deno.env.get("FAKE_TOOLS") ?? "{}");
const found = real ? { resolveModel, loadDataset } : {};
Deno.exit(await main(Deno.args, () => Promise.resolve({ ...fakeTools(options), ...found })));
