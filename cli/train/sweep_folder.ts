/** A sweep's folder, as `train` has to know it: several processes write into it at once, each a run of its own. */
import { join } from "node:path";
import { exists } from "../../models/host/files.ts";

/** The file that lists a sweep's tasks. */
export const sweepFile = "sweep.json";

export const isSweep = (folder: string): Promise<boolean> => exists(join(folder, sweepFile));
