/**
 * LoRA and a bottleneck adapter from scratch, with the engine's public operations: copy this file to try an idea.
 * A network of two layers learns a task, which then changes; `deno task from_scratch` compares ways to follow it.
 */
import {
  AdamW,
  add,
  createDevice,
  crossEntropy,
  type Device,
  domains,
  gelu,
  HostRandom,
  linear,
  Parameters,
  relu,
  setOrAdd,
  sizeOf,
  type Tensor,
  upload,
  withTape,
} from "../engine/mod.ts";

/** y = x Wᵀ + b + s · (x Aᵀ) Bᵀ: W [out, in] is frozen, A [rank, in] and B [out, rank] train. */
export function loraLinear(x: Tensor, [w, b, loraA, loraB]: Tensor[], s: number): Tensor {
  const u = linear(x, { weight: loraA }); // [rows, rank]: all that LoRA sees of x
  const update = linear(u, { weight: loraB }); // [rows, out]
  return add(linear(x, { weight: w, bias: b }), update, s);
}

/** A(h) + h with A(h) = up(relu(down(h))): down [size, hidden] and up [hidden, size], each with a bias. */
export function bottleneck(h: Tensor, [down, downBias, up, upBias]: Tensor[]): Tensor {
  const narrow = relu(linear(h, { weight: down, bias: downBias })); // [rows, size]
  return add(linear(narrow, { weight: up, bias: upBias }), h); // starts near h: up starts near 0
}

const [inputs, hidden, classes, rank, size] = [32, 64, 4, 4, 4];
type Shapes = Record<string, number[]>;
type Values = Record<string, Float32Array>;

/** logits = gelu(x Wᵀ + b) Hᵀ + c */
const base: Shapes = { W: [hidden, inputs], b: [hidden], H: [classes, hidden], c: [classes] };

interface Method {
  /** What it adds to the base, and which of the base's tensors train. */
  added: Shapes;
  trains: string[];
  /** x [rows, inputs] → [rows, hidden], over tensors by name. */
  encode(x: Tensor, get: (name: string) => Tensor): Tensor;
}

const of = (get: (name: string) => Tensor, names: string) => names.split(" ").map(get);
const plain: Method["encode"] = (x, get) => gelu(linear(x, { weight: get("W"), bias: get("b") }));

export const methods: Record<string, Method> = {
  full: { added: {}, trains: ["W", "b", "H", "c"], encode: plain },
  LoRA: {
    added: { A: [rank, inputs], B: [hidden, rank] },
    trains: ["H", "c"],
    encode: (x, get) => gelu(loraLinear(x, of(get, "W b A B"), 2)), // s = α/r with α = 2r
  },
  adapter: {
    added: { D: [size, hidden], d: [size], U: [hidden, size], u: [hidden] },
    trains: ["H", "c"],
    encode: (x, get) => bottleneck(plain(x, get), of(get, "D d U u")),
  },
};

/** Where tensors start: B and biases at 0, so that LoRA's first step is the base's; others at random. */
function startOf(name: string, shape: number[], random: HostRandom): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (shape.length === 1 || name === "B") return values;
  const deviation = name === "U" ? 0.02 : 1 / Math.sqrt(shape[1]);
  return values.map(() => deviation * random.normal());
}

/** A task: x belongs to the direction that it goes along the most; `shift` turns the four directions elsewhere. */
function taskOf(shift: number) {
  const random = new HostRandom(1, domains.sample);
  const draw = () => Array.from({ length: classes * inputs }, () => random.normal());
  const turn = draw();
  const directions = draw().map((value, i) => value + shift * turn[i]);
  return (device: Device, step: number, rows = 64) => {
    const random = new HostRandom(2, domains.batches, step);
    const x = new Float32Array(rows * inputs).map(() => random.normal());
    const labels = new Uint32Array(rows).map((_, row) => {
      const scores = new Float32Array(classes);
      directions.forEach((value, i) => {
        scores[Math.floor(i / inputs)] += value * x[row * inputs + i % inputs];
      });
      return scores.indexOf(Math.max(...scores));
    });
    return { x: upload(device, [rows, inputs], x), labels: upload(device, [rows], labels) };
  };
}

/** Trains a multiple of 50 steps, from the values given or at random; returns each step's loss, and all values. */
export async function train(
  device: Device,
  { added, trains, encode }: Method,
  { steps, rate, shift, from = {} }: { steps: number; rate: number; shift: number; from?: Values },
): Promise<{ losses: number[]; trained: number; values: Values }> {
  const infos = Object.entries({ ...base, ...added }).map(([name, shape]) => {
    const trainable = name in added || trains.includes(name);
    return { name, shape, trainable, decay: shape.length > 1 };
  });
  const parameters = new Parameters(device, infos);
  const get = (name: string) => parameters.get(name);
  const random = new HostRandom(3, domains.initialise);
  for (const { name, shape } of infos) {
    const { storage, offset } = get(name);
    device.write(storage, offset, from[name] ?? startOf(name, shape, random));
  }
  const optimizer = new AdamW(parameters, { weightDecay: 0.01, maxGradNorm: 1 });
  const batch = taskOf(shift);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    device.beginStep(0, step);
    const { x, labels } = batch(device, step);
    parameters.zeroGradients();
    const { output: loss, backward } = withTape(() =>
      crossEntropy(linear(encode(x, get), { weight: get("H"), bias: get("c") }), labels)
    );
    backward(); // dL/dtensor of all that train, added to their gradients
    setOrAdd(optimizer.loss, loss, true);
    optimizer.update(rate);
    device.endStep();
    if (step % 50 === 49) losses.push(...(await optimizer.readHistory()).map(({ loss }) => loss));
  }
  const values: Values = {};
  for (const { name } of infos) values[name] = await get(name).read();
  const trained = infos.reduce((sum, each) => sum + (each.trainable ? sizeOf(each.shape) : 0), 0);
  optimizer.destroy();
  parameters.destroy();
  return { losses, trained, values };
}

if (import.meta.main) {
  const device = await createDevice();
  const pretrained = await train(device, methods.full, { steps: 400, rate: 1e-2, shift: 0 });
  console.log("method     trains   loss at step 1      50     100     200");
  for (const [name, method] of Object.entries(methods)) {
    const options = { steps: 200, rate: 5e-3, shift: 0.5, from: pretrained.values };
    const { losses, trained } = await train(device, method, options);
    const mean = (of: number[]) => of.reduce((a, b) => a + b) / of.length; // of ten steps' losses
    const ends = [losses.slice(0, 1), ...[50, 100, 200].map((n) => losses.slice(n - 10, n))];
    const shown = ends.map((losses) => mean(losses).toFixed(3).padStart(8));
    console.log(`${name.padEnd(8)}${String(trained).padStart(9)}         ${shown.join("")}`);
  }
}
