/** Numbers and names as people read them. */
import type { DeviceInfo } from "../../engine/adapter.ts";
export { formatBytes } from "../../engine/bytes.ts";
export * from "../../models/numbers.ts";

/** What an adapter calls itself, and whether it is a CPU that plays GPU. */
export function formatAdapter(
  { description, software }: Pick<DeviceInfo, "description" | "software">,
): string {
  return `${description}${software ? " (software)" : ""}`;
}

/** `hiddenSize` → `hidden_size`: the spelling of flags and files. */
export const inSnakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
