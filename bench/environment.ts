/** What a benchmark ran on, and where its results go. */
import { cpus } from "node:os";
import type { DeviceInfo } from "../engine/adapter.ts";
import type { Result } from "./schema.ts";

type Head = Pick<Result, "version" | "created" | "machine" | "adapter">;

/** What every result starts with. */
export function resultHead(
  { description, vendor, architecture, software, subgroupSize }: DeviceInfo,
): Head {
  return {
    version: 1,
    created: new Date().toISOString().slice(0, 16) + "Z",
    machine: {
      processor: cpus()[0]?.model.trim() || Deno.build.arch,
      cores: navigator.hardwareConcurrency,
      os: Deno.build.os,
      runtime: `Deno ${Deno.version.deno}`,
    },
    adapter: { description, vendor, architecture, software, subgroupSize },
  };
}

/** An adapter's name in file names: `llvmpipe-llvm-15-0-6-256-bits`. */
export function slug(description: string): string {
  return description.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "unknown";
}

const folder = new URL("results/", import.meta.url);

/** The file of a result: `bench/results/<adapter>-<kind>.json`. */
export function resultPath({ adapter, kind }: Pick<Result, "adapter" | "kind">): string {
  return decodeURIComponent(new URL(`${slug(adapter.description)}-${kind}.json`, folder).pathname);
}
