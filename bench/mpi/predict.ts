/** `bench:mpi --predict`: how bert-base's training would scale, by the model, from terms that are measured or assumed. */
import { createDevice } from "../../engine/device.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { formatBytes, formatCount } from "../../cli/shared/format.ts";
import { print, printJson, progress, tableWidth } from "../command.ts";
import { formatTime } from "../../kernelbench/format.ts";
import { benchSteps, classes, methods, type Point } from "../step_bench.ts";
import { timeCopies } from "./measure.ts";
import { type Network, strongSpeedup, type Terms, weakSpeedup } from "./model.ts";
import { predictedRanks, predictionTable } from "./tables.ts";

/** Sentences of a rank's step, and tokens of each. */
const work = { batch: 32, length: 128 };

/** Assumed: TCP over two connections, as docs/cluster.md has them, and a cluster's network. */
const networks: readonly Network[] = [
  { name: "1 Gbit/s", latency: 50e-6, bytesPerSecond: 0.117e9 },
  { name: "100 Gbit/s", latency: 5e-6, bytesPerSecond: 11.5e9 },
];

/** Assumed of a GPU: f32 products at 10 TFLOP/s, and copies there and back at 5 GB/s; the wait is Deno's, as measured. */
const gpu = { flopsPerSecond: 10e12, copyBytesPerSecond: 5e9 };

const names = ["full", "lora", "adapter"] as const;

/**
 * Operations of a step in matrix products: two for each weight of the encoder's linear layers and each token, forward and
 * for dx, and where all weights are trained for dW too. What is left out, attention and the low-rank products, is below a
 * tenth.
 */
export function stepFlops(method: Point["method"], { batch, length } = work): number {
  const { layers, hiddenSize, intermediateSize } = bertBaseUncased;
  const weights = layers * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);
  return (method === "full" ? 6 : 4) * weights * batch * length;
}

/** Bytes that a method sums in a step. */
export const summedBytes = (method: Point["method"]): number =>
  4 * countParameters(bertBaseUncased, methods[method], classes).trainable;

/** What is measured here: products a second in a step of each method, and the host's copies. */
interface Measured {
  adapter: string;
  flopsPerSecond: Record<Point["method"], number>;
  waitSeconds: number;
  copyBytesPerSecond: number;
}

const measuredWork = { batch: 8, length: 32 };

async function measure(): Promise<Measured> {
  const device = await createDevice();
  const points = names.map((method): Point => ({ model: "base", method, ...measuredWork }));
  const report = ({ method }: Point) => progress(`bert-base ${method}`);
  const steps = await benchSteps(device, points, { report });
  progress("copies");
  const [{ milliseconds: wait }, { bytes, milliseconds }] = await timeCopies(device, [4, 1 << 26]);
  progress("");
  device.destroy();
  const rates = names.map((method, index) => [
    method,
    stepFlops(method, measuredWork) / steps[index].milliseconds * 1000,
  ]);
  return {
    adapter: device.info.description,
    flopsPerSecond: Object.fromEntries(rates),
    waitSeconds: wait / 1000,
    copyBytesPerSecond: bytes / (milliseconds - wait) * 1000,
  };
}

/** A method's terms but for the network. */
const termsOf = (
  method: Point["method"],
  flopsPerSecond: number,
  copies: Pick<Terms, "waitSeconds" | "copyBytesPerSecond">,
): Omit<Terms, "network"> => ({
  stepSeconds: stepFlops(method) / flopsPerSecond,
  bytes: summedBytes(method),
  ...copies,
});

/** Prints what is to be expected of 2 to 64 ranks. */
export async function predict(json: boolean): Promise<void> {
  const measured = await measure();
  const { flopsPerSecond, waitSeconds, copyBytesPerSecond } = measured;
  const here = names.map((name) => ({
    name,
    terms: termsOf(name, flopsPerSecond[name], { waitSeconds, copyBytesPerSecond }),
  }));
  const assumed = names.map((name) => ({
    name,
    terms: termsOf(name, gpu.flopsPerSecond, {
      waitSeconds,
      copyBytesPerSecond: gpu.copyBytesPerSecond,
    }),
  }));
  const width = tableWidth();
  const { batch, length } = work;
  const gflops = names.map((name) => `${name} ${formatCount(flopsPerSecond[name] / 1e9)}`);
  const sections: [string, typeof here, "weak" | "strong"][] = [
    [`Ranks with ${measured.adapter} each, ${batch} sentences a rank`, here, "weak"],
    [`Ranks with a GPU each, ${batch} sentences a rank`, assumed, "weak"],
    [`Ranks with a GPU each that share ${batch} sentences`, assumed, "strong"],
  ];
  print([
    `bert-base, sentences of ${length} tokens; speed-up over one rank, by number of ranks.`,
    "",
    `Measured here: GFLOP/s of a step, ${gflops.join(", ")}; from the GPU to the`,
    `  host and back a wait of ${formatTime(waitSeconds)}, and ${
      formatBytes(copyBytesPerSecond)
    }/s.`,
    `Assumed: a GPU of ${formatCount(gpu.flopsPerSecond / 1e12)} TFLOP/s, with the same wait and ` +
    `${formatBytes(gpu.copyBytesPerSecond)}/s, so that a`,
    "  step takes " +
    names.map((name, at) => `${formatTime(assumed[at].terms.stepSeconds)} (${name})`).join(", ") +
    ";",
    ...networks.map(({ name, latency, bytesPerSecond }) =>
      `  ${name} with ${formatTime(latency)} and ${formatBytes(bytesPerSecond)}/s;`
    ),
    "  that nothing else waits, and that half a batch takes half the time.",
    ...sections.flatMap(([title, methods, scaling]) => [
      "",
      title,
      "",
      ...predictionTable(methods, networks, scaling, width),
    ]),
  ], json);
  if (!json) return;
  const speedups = sections.flatMap(([title, methods, scaling]) =>
    methods.flatMap(({ name, terms }) =>
      networks.flatMap((network) =>
        predictedRanks.map((ranks) => {
          const speedup = scaling === "weak" ? weakSpeedup : strongSpeedup;
          return {
            ...{ title, scaling, method: name, network: network.name, ranks },
            speedup: speedup(ranks, { ...terms, network }),
          };
        })
      )
    )
  );
  printJson({ measured, assumed: { gpu, networks, work }, speedups });
}
