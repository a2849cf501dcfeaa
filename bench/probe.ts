/** Prints what the adapter says of itself, and which features beyond its list it grants. */

import { backendOf } from "./backend.ts";

/** What a kernel could use. wgpu grants some of them though `adapter.features` does not name them. */
const wanted = [
  "timestamp-query",
  "subgroups",
  "shader-f16",
  "wgpu-cooperative-matrix",
  "chromium-experimental-subgroup-matrix",
  "wgpu-subgroup-barrier",
  "wgpu-shader-float32-atomic",
  "wgpu-shader-int64",
  "wgpu-timestamp-query-inside-passes",
  "wgpu-pipeline-cache",
];

export interface Probe {
  info: Record<string, unknown>;
  limits: Record<string, number>;
  features: string[];
  /** Whether a device with the feature is granted; why not, where it is not. */
  granted: Record<string, true | string>;
}

/** Asks the adapter; undefined where there is none. Each feature is tried alone, with an adapter of its own. */
export async function probe(): Promise<Probe | undefined> {
  const request = () => navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const adapter = await request();
  if (!adapter) return undefined;
  const granted: Probe["granted"] = {};
  for (const feature of wanted) {
    try {
      const one = await request();
      const device = await one?.requestDevice({ requiredFeatures: [feature as GPUFeatureName] });
      device?.destroy();
      granted[feature] = true;
    } catch (error) {
      granted[feature] = error instanceof Error ? error.message : String(error);
    }
  }
  return {
    info: gettersOf(adapter.info),
    limits: gettersOf(adapter.limits),
    features: [...adapter.features].sort(),
    granted,
  };
}

/** WebGPU's objects keep their values in getters of the prototype, which JSON does not see; Dawn some in the object. */
function gettersOf<Value>(object: object): Record<string, Value> {
  const found: Record<string, Value> = {};
  const { constructor: _, ...getters } = Object.getOwnPropertyDescriptors(
    Object.getPrototypeOf(object),
  );
  for (const name of [...Object.keys(getters), ...Object.keys(object)]) {
    const value = Reflect.get(object, name);
    if (typeof value === "function") continue;
    found[name] = Array.isArray(value) ? value.map(gettersOf) : value; // the fragments of matrix units
  }
  return found;
}

if (import.meta.main) {
  await backendOf(Deno.args);
  const found = await probe();
  if (!found) {
    console.error('No WebGPU adapter. See README, "No GPU".');
    Deno.exit(1);
  }
  console.log(JSON.stringify(found, null, 2));
  Deno.exit(0); // Dawn keeps the process
}
