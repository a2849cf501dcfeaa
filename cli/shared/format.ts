/** Numbers and names as people read them. */
import { counted } from "../../models/errors.ts";
import type { DeviceInfo } from "../../engine/adapter.ts";
import { formatCount } from "../../models/numbers.ts";
export { formatBytes } from "../../engine/bytes.ts";
export * from "../../models/numbers.ts";

/** What an adapter calls itself, and whether it is a CPU that plays GPU. */
export function formatAdapter(
  { description, software }: Pick<DeviceInfo, "description" | "software">,
): string {
  return `${description}${software ? " (software)" : ""}`;
}

/** `1 row`, `1,404 rows`; `many` is the plural where an s does not make it. */
export const countOf = (count: number, one: string, many?: string): string =>
  counted(count, one, many, formatCount);
