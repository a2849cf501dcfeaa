/** The folder of a whole model that a run was folded into, or taken out of. */
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { toJson } from "../../models/files/json.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { exportRun, type NamedTensors } from "../../models/peft/export.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { type Unfinished, writeFolderWhole } from "../shared/folders.ts";
import type { TrainedRun } from "../trained/run.ts";

/** Refuses to write over anything. */
export async function checkOutput(output: string): Promise<void> {
  if (!(await exists(output))) return;
  throw new UserError(`${output} is there already. Name another --output, or remove it.`, {
    exitCode: 2,
  });
}

/** Writes every tensor of a run's model, and a `run.json` where `record` is given: whole or not at all. */
export async function writeModel(
  { model, labels }: Pick<TrainedRun, "model" | "labels">,
  weights: NamedTensors,
  output: string,
  { record, unfinished = new Set() }: {
    record?: Record<string, unknown>;
    unfinished?: Unfinished;
  },
): Promise<{ files: string[]; bytes: number }> {
  const { config } = model;
  const tokenizer = await loadTokenizer(hostFolder(model.folder), config.vocabSize);
  const exported = await exportRun({
    method: { method: "full" },
    config,
    labels,
    baseModel: { name: model.name, folder: hostFolder(model.folder) },
    weights,
    tokenizerFiles: tokenizer.files,
  });
  return await writeFolderWhole(output, unfinished, async (temporary) => {
    const written = await writeFiles(temporary, exported);
    if (record) {
      written.bytes += await writeFileWhole(join(temporary, "run.json"), toJson(record));
      written.files.push("run.json");
    }
    await checkOutput(output); // it may have been made meanwhile
    return written;
  });
}
