/** What a page takes of this project; test/bundle_test.ts bundles it for a browser. */
export * from "../engine/mod.ts";
export { readDataset } from "../models/data/load.ts";
export { stratifiedSplit } from "../models/data/split.ts";
export { blobSource, bytesSource, rangeSource } from "../models/files/byte_source.ts";
export { parseConfig } from "../models/encoders/mod.ts";
export { openWeights, randomWeights } from "../models/encoders/weights.ts";
export { memoryFolder } from "../models/files/folder.ts";
export { readJsonObject } from "../models/files/json.ts";
export { piecesOf } from "../models/files/run_file.ts";
export { createModel } from "../models/model.ts";
export { exportRun, readRun } from "../models/peft/export.ts";
export { methods } from "../models/peft/methods.ts";
export { loadTokenizer } from "../models/text/tokenizer.ts";
export { evaluate, predict } from "../models/training/evaluate.ts";
export { train } from "../models/training/trainer.ts";
