/** The data set that the flags of `deno task train` ask for. */
import type { DatasetRequest } from "../../models/host/dataset.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import type { Flags } from "./flags.ts";

export function datasetRequest(flags: Flags, hub: HubSettings): DatasetRequest {
  const { dataset, textColumn, labelColumn, encoding, quoting, useSample } = flags;
  const phrase = (notice: unknown) => messageWithAdvice(notice);
  return { dataset, textColumn, labelColumn, encoding, quoting, useSample, phrase, hub };
}
