/**
 * Names of a model's tensors, as a checkpoint has them, and the tensors behind them. A model is described once,
 * by a function over a scope; it is run over a declaring scope to find out what tensors there are, and over a
 * binding one to get them (the pattern of candle's VarBuilder). In both runs the same lines are passed.
 */
import type { Parameters } from "../../engine/parameters.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Wrapping } from "./wrapping.ts";

/** How a tensor starts when no checkpoint holds it. */
export type Initializer =
  | { kind: "zeros" }
  | { kind: "ones" }
  | { kind: "normal"; std: number }
  /** Uniform in ±1/√fanIn: PyTorch's kaiming_uniform_(a = √5). */
  | { kind: "kaimingUniform"; fanIn: number }
  /** The Euclidean norms of the rows of another tensor. */
  | { kind: "rowNorms"; of: string };

/**
 * What a tensor belongs to. It decides what trains, what a checkpoint may lack and from which seed a new tensor
 * starts. `head` is all that a classifier has of its own, `peft` what a method adds.
 */
export type Role = "embedding" | "encoder" | "pooler" | "head" | "peft";

/** What a tensor is within its layer: all but biases and LayerNorm's decay, as in the HF Trainer. */
export type Kind = "table" | "matrix" | "bias" | "norm" | "vector";

export interface ParameterSpec {
  /** The checkpoint's name; for a method's tensors the name that its files use. */
  name: string;
  shape: number[];
  init: Initializer;
  role: Role;
  kind: Kind;
  /** Whether weight decay applies: not to biases, not to LayerNorm. */
  decay: boolean;
  trainable: boolean;
  /** Tensors of one stack lie one after another in memory, so that one launch reads them all. */
  stack?: string;
}

/** A tensor by its name; calling it gives the tensor where the scope binds, and throws where it declares. */
export interface Handle {
  (): Tensor;
  readonly spec: ParameterSpec;
}

/** What a new tensor is, besides its name and shape. */
export interface TensorOptions {
  init: Initializer;
  kind: Kind;
  stack?: string;
}

/** What all scopes of a run of a description share. */
export interface ModelContext {
  /** Every tensor that was declared, in the order of the description. */
  readonly specs: Map<string, ParameterSpec>;
  /** The tensors, where this run binds. */
  readonly parameters?: Parameters;
  /** How a PEFT method changes the model. */
  readonly wrapping: Wrapping;
  /** Dropout is on while `training` is true. */
  readonly mode: { training: boolean };
}

/** A place in a model: a prefix of names, and what the tensors below it belong to. */
export class Scope {
  readonly context: ModelContext;
  /** `bert.encoder.layer.0.attention.self.query` */
  readonly name: string;
  /** The last piece that was added, by which users name a layer: `query`, `attention.output.dense`. */
  readonly local: string;
  readonly role: Role;
  /** The encoder layer's number, within one. */
  readonly layer?: number;

  constructor(context: ModelContext, place: Partial<Omit<Scope, "context">> = {}) {
    this.context = context;
    this.name = place.name ?? "";
    this.local = place.local ?? "";
    this.role = place.role ?? "encoder";
    this.layer = place.layer;
  }

  /** The scope of a part: its tensors' names begin with this one's and the part's. */
  at(local: string): Scope {
    return this.#with({ name: this.name === "" ? local : `${this.name}.${local}`, local });
  }

  /** The scope of an encoder layer. */
  atLayer(layer: number): Scope {
    return this.#with({ ...this.at(String(layer)), layer });
  }

  /** This scope for tensors that belong to something else. */
  as(role: Role): Scope {
    return this.#with({ role });
  }

  /**
   * Declares a tensor. One that was declared before under the same name is the same one, tied. Throws where
   * the two differ in shape.
   */
  tensor(local: string, shape: number[], { init, kind, stack }: TensorOptions): Handle {
    const { context, role } = this;
    const { name } = this.at(local);
    const known = context.specs.get(name);
    if (known && known.shape.join() !== shape.join()) {
      throw new Error(`"${name}" is [${known.shape.join(", ")}] and [${shape.join(", ")}].`);
    }
    const spec = known ?? {
      name,
      shape,
      init,
      role,
      kind,
      decay: kind !== "bias" && kind !== "norm",
      trainable: this.trains(local, kind),
      ...(stack !== undefined && { stack }),
    };
    context.specs.set(name, spec);
    return Object.assign(() => bound(context).get(name), { spec });
  }

  /** Whether a tensor of this scope trains. */
  trains(local: string, kind: Kind): boolean {
    const { role, context } = this;
    return role === "peft" || context.wrapping.trains({ name: this.at(local).name, role, kind });
  }

  /** The tensors of a stack as one, [count, …shape]. */
  together(handles: readonly Handle[]): () => Tensor {
    const names = handles.map(({ spec }) => spec.name);
    return () => bound(this.context).stack(names);
  }

  /** A probability of dropout while the model trains, else 0. */
  dropout(probability: number): number {
    return this.context.mode.training ? probability : 0;
  }

  #with(change: Partial<Omit<Scope, "context">>): Scope {
    const { name, local, role, layer } = this;
    return new Scope(this.context, { name, local, role, layer, ...change });
  }
}

function bound({ parameters }: ModelContext): Parameters {
  if (!parameters) {
    throw new Error("This model was only declared: it has no tensors to compute with.");
  }
  return parameters;
}
