/** What is asked of a machine before it trains, behind an interface, so that a test can stand in. */
import { messageOf } from "../../models/errors.ts";
import { withoutPassword, withoutSecrets } from "../../models/host/secrets.ts";
import { type HubSettings, hubSettingsFromEnvironment } from "../../models/host/settings.ts";
import type { Communicator } from "../mpi/communicator.ts";
import type { Backend } from "../shared/backend.ts";
import type { ProductFacts } from "./product.ts";
import { tuningCachePath } from "../train/tuning_cache.ts";

/** The adapter's limits that training meets. */
export const limitNames = [
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxTextureDimension2D",
] as const;

export interface AdapterFacts {
  description: string;
  vendor: string;
  architecture: string;
  software: boolean;
  /** The least that a subgroup may have; 0 where there are no subgroups. */
  subgroup_min_size: number;
  features: string[];
  limits: Record<typeof limitNames[number], number>;
}

/** What a device of the adapter does; an error's message stands for what it could not do. */
export interface DeviceFacts {
  product: ProductFacts | { error: string };
  /** Matrix units, which f16 products take: the size of what they multiply at once, or the reason why there are none. */
  matrix_units: { granted: string } | { refused: string };
}

export interface HubCacheFacts {
  models: string[];
  datasets: string[];
  bytes: number;
}

/** The free bytes of the disk that a folder lies on, or will lie on. */
export interface DiskFacts {
  path: string;
  free_bytes: number;
}

/** What was asked, or why there is no answer. */
type Answer<Facts> = Facts | { error: string };

export interface Facts {
  /** Whose WebGPU it is. */
  backend: Backend;
  runtime: { deno: string; os: string; arch: string };
  /** Null where there is none. */
  adapter: AdapterFacts | null;
  /** Null where the adapter does not serve. */
  device: DeviceFacts | null;
  hub_cache: { path: string } & Answer<HubCacheFacts>;
  /** Where results go by default, and where the hub's files are kept. */
  disk: Answer<{ results: DiskFacts; hub_cache: DiskFacts }>;
  /** Null where nothing is kept yet. */
  tuned_kernels: { path: string } & Answer<{ adapters: string[] | null }>;
  /** Whether one is set; never the token. */
  token: "set" | "none" | { error: string };
  hub: { endpoint: string } & Answer<{ status: number } | { unasked: string }>;
}

export interface DoctorTools {
  runtime(): Facts["runtime"];
  /** Undefined where no launcher started the process. Throws a UserError. */
  joinRanks(): Communicator | undefined;
  environment(name: string): string | undefined;
  /** Undefined where there is none. */
  adapter(): Promise<AdapterFacts | undefined>;
  /** Throws where no device can be had. */
  device(): Promise<DeviceFacts>;
  /** Throws what the file system throws. */
  hubCache(path: string): Promise<HubCacheFacts>;
  /** The bytes that a user may still write where a folder is, or would be made. Throws where it cannot be told. */
  freeBytes(path: string): Promise<number>;
  /** The adapters' keys; undefined where there is no file. Throws where it cannot be read. */
  tunedAdapters(path: string): Promise<string[] | undefined>;
  /** The HTTP status that an address answers with. Throws where it does not in time. */
  askHub(endpoint: string): Promise<number>;
}

/** Asks all of it; what fails is a fact too. `serves` says whether a device of the adapter is worth trying. */
export async function gatherFacts(
  tools: DoctorTools,
  { backend, offline, serves }: {
    backend: Backend;
    offline: boolean;
    serves(adapter: AdapterFacts): boolean;
  },
): Promise<Facts> {
  const adapter = await tools.adapter() ?? null;
  const device = adapter && serves(adapter)
    ? await tools.device().catch((error): DeviceFacts => ({
      product: { error: messageOf(error) },
      matrix_units: { refused: "there is no device" },
    }))
    : null;
  const { settings, token } = hubSettings(tools);
  const tuned = tuningCachePath(tools.environment);
  return {
    backend,
    runtime: tools.runtime(),
    adapter,
    device,
    hub_cache: {
      path: settings.cacheFolder,
      ...await answered(tools.hubCache(settings.cacheFolder)),
    },
    disk: await answered(diskFacts(tools, settings.cacheFolder)),
    tuned_kernels: {
      path: tuned,
      ...await answered(
        tools.tunedAdapters(tuned).then((adapters) => ({ adapters: adapters ?? null })),
      ),
    },
    token,
    hub: await askHub(tools, settings, offline),
  };
}

async function diskFacts({ freeBytes }: DoctorTools, cacheFolder: string) {
  const factsOf = async (path: string) => ({ path, free_bytes: await freeBytes(path) });
  return { results: await factsOf("results"), hub_cache: await factsOf(cacheFolder) };
}

/** The settings, without a token that is none, which is told apart. */
function hubSettings(
  { environment }: DoctorTools,
): { settings: HubSettings; token: Facts["token"] } {
  try {
    const settings = hubSettingsFromEnvironment(environment);
    return { settings, token: settings.token === undefined ? "none" : "set" };
  } catch (error) {
    const withoutToken = (name: string) => name === "HF_TOKEN" ? undefined : environment(name);
    const settings = hubSettingsFromEnvironment(withoutToken);
    return { settings, token: { error: messageOf(error) } };
  }
}

async function askHub(
  tools: DoctorTools,
  settings: HubSettings,
  offline: boolean,
): Promise<Facts["hub"]> {
  const endpoint = withoutPassword(settings.endpoint);
  if (offline) return { endpoint, unasked: "--offline" };
  if (settings.offline) return { endpoint, unasked: "HF_HUB_OFFLINE is set" };
  const answer = await answered(
    tools.askHub(settings.endpoint).then((status) => ({ status })),
  );
  // A failed request's message quotes the address that it asked.
  return "error" in answer ? { endpoint, error: withoutSecrets(answer.error) } : {
    endpoint,
    ...answer,
  };
}

async function answered<Facts>(asked: Promise<Facts>): Promise<Answer<Facts>> {
  try {
    return await asked;
  } catch (error) {
    return { error: messageOf(error) };
  }
}
