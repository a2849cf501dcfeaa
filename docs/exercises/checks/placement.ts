/** Exercise 2: adapters after attention. */
import {
  add,
  createDevice,
  type Device,
  layerNorm,
  linear,
  Parameters,
  relu,
  type Tensor,
  upload,
} from "../../../engine/mod.ts";
import { randomValues, relativeError } from "../../../gradcheck/values.ts";
import { Scope } from "../../../models/nn/scope.ts";
import { bertBaseUncased } from "../../../models/encoders/mod.ts";
import {
  type AdapterMethod,
  type AdapterPlacement,
  adapterWrapping,
  placements,
} from "../../../models/peft/adapter.ts";
import { methodParameters } from "../../../models/peft/methods.ts";
import { type Exercise, missing, type Outcome, solved } from "./exercise.ts";

const file = "models/peft/adapter.ts";
const [rows, hidden, size] = [5, 16, 4];

async function check(): Promise<Outcome> {
  const placement = "attention" as AdapterPlacement;
  if (!(placements as readonly string[]).includes(placement)) {
    return missing(`${file} has no placement "attention" yet: it begins in \`placements\`.`);
  }
  const method = { method: "adapter", size, placement } as const;
  const added = methodParameters(bertBaseUncased, method, 13).filter(({ role }) => role === "peft");
  const below = added.filter(({ name }) => name.includes(".attention.output.adapters."));
  if (below.length !== added.length) {
    const other = added.find((spec) => !below.includes(spec))!;
    return missing(`There should be no bottleneck but attention's; "${other.name}" is another.`);
  }
  if (added.length !== 4 * bertBaseUncased.layers) {
    return missing(
      `${bertBaseUncased.layers} layers want a bottleneck of 4 tensors each, ` +
        `${4 * bertBaseUncased.layers} tensors; there are ${added.length}.`,
    );
  }
  const device = await createDevice();
  try {
    const error = await errorOf(device, method);
    return error < 1e-5
      ? solved("The bottlenecks stand after attention, and compute LN(A(h) + D + X).")
      : missing(
        `The bottlenecks stand where they should, but do not compute LN(A(h) + D + X) with ` +
          `h = LN(D + X): off by ${error.toExponential(1)}.`,
      );
  } finally {
    device.destroy();
  }
}

/** How far attention's end is from the formula, on random values. */
async function errorOf(device: Device, method: AdapterMethod): Promise<number> {
  const wrapping = adapterWrapping(method);
  const mode = { training: true };
  const siteOf = (parameters?: Parameters) => {
    const specs = new Map();
    const scope = new Scope({ wrapping, mode, specs, parameters });
    const end = wrapping.subLayer!({
      part: "attention",
      scope: scope.at("own"),
      shared: scope.at("shared"),
      hiddenSize: hidden,
      norm,
    });
    return { specs, end };
  };
  device.beginStep(0, 0);
  const tensorOf = (shape: number[], seed: number) =>
    upload(device, shape, Float32Array.from(randomValues(shape.reduce((a, b) => a * b), seed)));
  const ones = upload(device, [hidden], new Float32Array(hidden).fill(1));
  const zeros = upload(device, [hidden], new Float32Array(hidden));
  function norm(x: Tensor): Tensor {
    return layerNorm(x, ones, zeros, 1e-12);
  }
  const specs = [...siteOf().specs.values()];
  const parameters = new Parameters(device, specs);
  specs.forEach(({ name }, i) => {
    const { storage, offset, size } = parameters.get(name);
    device.write(storage, offset, Float32Array.from(randomValues(size, 10 + i)));
  });
  const [down, downBias, up, upBias] = specs.map(({ name }) => parameters.get(name));
  const [d, x] = [tensorOf([rows, hidden], 1), tensorOf([rows, hidden], 2)];
  const sum = add(d, x);
  const narrow = relu(linear(norm(sum), { weight: down, bias: downBias }));
  const expected = norm(add(linear(narrow, { weight: up, bias: upBias }), sum));
  const actual = siteOf(parameters).end!((residual) => residual ? add(d, residual) : d, x);
  const [got, wanted] = await Promise.all([actual.read(), expected.read()]);
  device.endStep();
  parameters.destroy();
  return relativeError(got, [...wanted]);
}

export const placement: Exercise = { title: "Put the adapters after attention", file, check };
