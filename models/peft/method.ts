/** What a fine-tuning method tells of itself, in one object: the table of all of them is in methods.ts. */
import type { EncoderConfig } from "../encoders/mod.ts";
import type { Folder } from "../files/folder.ts";
import type { RunFile } from "../files/run_file.ts";
import type { LinearSite, Wrapping } from "../nn/wrapping.ts";
import type { ExportRequest, NamedTensors } from "./run_files.ts";

/** A setting of a method, as it can be given: the name in files and, behind two dashes, on the command line. */
export interface Setting {
  /** What may be given for it. */
  kind:
    | "wholes" // several whole numbers from 1, one run each
    | "factor" // a number above 0, or a multiple of the rank such as 2r
    | "probability"
    | "names"
    | "numbers" // several whole numbers from 0
    | "switch"
    | readonly string[]; // one of these
  help: string;
  /** The default, as help shows it. */
  shown: string;
}

/** LoRA's α: a number, or a multiple of the rank. */
export type Factor = { kind: "value"; value: number } | { kind: "perRank"; factor: number };

/** The type of a given setting's value. */
type ValueOf<Kind extends Setting["kind"]> = Kind extends "wholes" | "numbers" ? number[]
  : Kind extends "factor" ? Factor
  : Kind extends "probability" ? number
  : Kind extends "names" ? string[]
  : Kind extends "switch" ? boolean
  : Kind extends readonly (infer Choice)[] ? Choice
  : never;

/** Settings as they were given; what was not is undefined (a switch: false). */
export type Given<Settings extends Record<string, Setting>> = {
  [Name in keyof Settings]?: ValueOf<Settings[Name]["kind"]>;
};

/** A method with its settings: plain data, which `run.json` and a resumed run hold. */
export interface MethodValue {
  method: string;
}

/** How a folder's own files tell of a method; labels undefined where they name none. */
export interface ReadMethod<Value> {
  method: Value;
  /** By our names. */
  tensors: NamedTensors;
  labels?: string[];
}

/** The tensors of a linear layer: W [out, in], row by row, and b [out]. */
export interface LinearValues {
  weight: Float32Array;
  bias?: Float32Array;
}

/** What was trained beside a linear layer, by the end of its name. */
export type TrainedBeside = (name: string) => Float32Array;

/** A linear layer as it was before something was folded into it. */
export interface UnfoldedValues extends LinearValues {
  /** How many of its rows or columns cannot be told, since a factor on them is 0: the base's are in their place. */
  lost: number;
}

/** Makes of a linear layer and of what was trained beside it one layer, and of that the former again. */
export interface Fold {
  fold(layer: LinearValues, trained: TrainedBeside): LinearValues;
  /** `base` is the layer that it should be, for what the folded one does not tell. */
  unfold(folded: LinearValues, trained: TrainedBeside, base: LinearValues): UnfoldedValues;
}

export interface MethodDefinition<
  Value extends MethodValue = MethodValue,
  Settings extends Record<string, Setting> = Record<string, Setting>,
> {
  /** As the command line and `run.json` have it. */
  name: Value["method"];
  /** As tables have it. */
  label: string;
  /** Whether the comparison of all methods runs it. */
  compared: boolean;
  /** Whether every weight trains: nothing is frozen, and a run's folder needs no base model beside it. */
  trainsAll: boolean;
  settings: Settings;
  /** The runs that the settings ask for. */
  plan(given: Given<Settings>): Value[];
  /** The folder name of a run: what differs from the defaults is in it, so that no two settings share one. */
  runName(method: Value): string;
  /** The configuration in tables. */
  configLabel(method: Value): string;
  /** The settings under their names in files, with what depends on the encoder filled in. */
  report(method: Value, config: EncoderConfig): Record<string, unknown>;
  /**
   * The method for a model, with what depends on the encoder filled in. Throws a {@link SettingError} where a
   * setting does not fit it.
   */
  fit(method: Value, config: EncoderConfig): Value;
  /** How it changes the model. */
  wrap(method: Value, config: EncoderConfig): Wrapping;
  /** How it becomes part of the linear layers that it changes, or the sentence that says why it cannot. */
  merge:
    | string
    | ((method: Value, config: EncoderConfig) => (site: LinearSite) => Fold | undefined);
  /** The files of a trained run, in the format that other programs read. */
  files(request: ExportRequest, method: Value): RunFile[] | Promise<RunFile[]>;
  /** PEFT's name of it, where the folder is one of PEFT's. */
  peftType?: string;
  /** Whether a folder with this `adapter_config.json` (undefined where it has none) is this method's. */
  owns(fields: Record<string, unknown> | undefined): boolean;
  /** Reads such a folder. Throws a UserError where it asks for what the engine does not compute. */
  read(folder: Folder, config: EncoderConfig): Promise<ReadMethod<Value>>;
}

/** A setting's value does not fit the model. */
export class SettingError extends Error {
  override name = "SettingError";
  /** The setting's name. */
  readonly setting: string;

  constructor(setting: string, message: string) {
    super(message);
    this.setting = setting;
  }
}
