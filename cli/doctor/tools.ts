/** The real machine: loading this file loads the engine. */
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSoftware } from "../../engine/adapter.ts";
import { createDevice } from "../../engine/device.ts";
import { fragmentText } from "../../engine/matrix_units.ts";
import type { CooperativePlan } from "../../kernels/mod.ts";
import { messageOf } from "../../models/errors.ts";
import { exists, isMissing } from "../../models/host/files.ts";
import { NetworkFailure } from "../../models/host/hub_errors.ts";
import { joinRanks } from "../mpi/join.ts";
import {
  type AdapterFacts,
  type DeviceFacts,
  type DoctorTools,
  type HubCacheFacts,
  limitNames,
} from "./facts.ts";
import { timeProduct } from "./product.ts";
import { tunedAdapters } from "../train/tuning_cache.ts";

/** Milliseconds that the hub has to answer. */
const patience = 5000;

export const doctorTools: DoctorTools = {
  runtime: () => ({ deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch }),
  environment: (name) => Deno.env.get(name),
  joinRanks: () => joinRanks(),
  async adapter() {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return undefined;
    const { info, limits } = adapter;
    const description = info.description || info.device || "unknown adapter";
    return {
      description,
      vendor: info.vendor,
      architecture: info.architecture,
      software: isSoftware(info),
      subgroup_min_size: info.subgroupMinSize ?? 0,
      features: [...adapter.features].sort(),
      limits: Object.fromEntries(
        limitNames.map((name) => [name, limits[name]]),
      ) as AdapterFacts["limits"],
    };
  },
  async device() {
    const device = await createDevice();
    let product: DeviceFacts["product"];
    try {
      product = await timeProduct(device);
    } catch (error) {
      product = { error: messageOf(error) };
    } finally {
      device.destroy();
    }
    return { product, matrix_units: await matrixUnits() };
  },
  hubCache,
  freeBytes,
  tunedAdapters,
  async askHub(endpoint) {
    try {
      // Any answer will do: neither the token nor a redirection to another host is needed for it.
      const { status, body } = await fetch(endpoint, {
        method: "HEAD",
        redirect: "manual",
        signal: AbortSignal.timeout(patience),
      });
      await body?.cancel();
      return status;
    } catch (error) {
      throw new NetworkFailure(error);
    }
  },
};

/** What a device says that is made for f16 products, and proves them. */
async function matrixUnits(): Promise<DeviceFacts["matrix_units"]> {
  try {
    const device = await createDevice({ matmulPrecision: "f16" });
    device.destroy();
    return { granted: fragmentText((device.kernels.matmul as CooperativePlan).fragment) };
  } catch (error) {
    return { refused: messageOf(error) };
  }
}

/** Of the folder, or where it is missing of the nearest one above it. */
async function freeBytes(path: string): Promise<number> {
  for (let folder = resolve(path);; folder = dirname(folder)) {
    if (!await exists(folder) && folder !== dirname(folder)) continue;
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  }
}

/** The repositories of a cache folder and the bytes of all its files; links to them do not count. */
async function hubCache(path: string): Promise<HubCacheFacts> {
  const found: HubCacheFacts = { models: [], datasets: [], bytes: 0 };
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      const [kind, ...parts] = name.split("--");
      if (!isDirectory || parts.length === 0) continue;
      if (kind !== "models" && kind !== "datasets") continue;
      found[kind].push(parts.join("/"));
      found.bytes += await bytesIn(join(path, name));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  found.models.sort();
  found.datasets.sort();
  return found;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) bytes += await bytesIn(path);
    else if (isFile) bytes += (await Deno.lstat(path)).size;
  }
  return bytes;
}
