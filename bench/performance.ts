/** The section of docs/performance.md and its plots, from results. Pure: the same results give the same text. */
import { formatBytes, formatCount } from "../cli/shared/format.ts";
import type { Column } from "../cli/shared/table.ts";
import { formatRate, formatShare, formatTime } from "../kernelbench/format.ts";
import { ceilingLines } from "./kernel_table.ts";
import { markdownTable, paragraph } from "./markdown.ts";
import { peerCells, peerColumns } from "./peers/table.ts";
import { stepPlot } from "./plot.ts";
import type { KernelResult, PeerResult, Result, StepResult, StepRow } from "./schema.ts";

/** A result and the name of its file in bench/results/. */
export interface Kept {
  file: string;
  result: Result;
}

/** The kernels that most of a step's time goes to. */
const shownKernels =
  /^(matmul\.(NT|NN|TN)( f16)?|attention\.\w+|layer_norm\.(forward|backward)|gelu\.\w+|adamw)$/;

const isOurs = ({ results }: StepResult) => results.some(({ engine }) => engine === "ours");

/** Lines of the section: adapters one after another, GPUs before software adapters. */
export function performanceSection(kept: readonly Kept[]): string[] {
  const sorted = [...kept].sort((a, b) =>
    Number(a.result.adapter.software) - Number(b.result.adapter.software) ||
    a.file.localeCompare(b.file)
  );
  const torch = sorted.flatMap(({ result }) =>
    result.kind === "steps" && result.results.some(({ engine }) => engine !== "ours")
      ? [result]
      : []
  );
  const own = sorted.filter(({ result }) =>
    result.kind !== "mpi" && (result.kind !== "steps" || isOurs(result))
  );
  const adapters = [...new Set(own.map(({ result }) => result.adapter.description))];
  const lines = adapters.flatMap((description) => {
    const here = own.filter(({ result }) => result.adapter.description === description);
    const [{ result: { machine } }] = here;
    return [
      `### ${description}`,
      "",
      ...paragraph(`On ${machine.cores} cores of ${machine.processor}, ${machine.runtime}.`),
      "",
      ...here.flatMap((each) => [...sectionOf(each, torch), ""]),
    ];
  });
  return lines.slice(0, -1);
}

function sectionOf({ file, result }: Kept, torch: readonly StepResult[]): string[] {
  switch (result.kind) {
    case "kernels":
      return kernelSection(result);
    case "steps":
      return stepSection(result, file, torch);
    case "peers":
      return peerSection(result);
    case "mpi":
      return []; // docs/cluster.md tells of it
  }
}

const day = (created: string) => created.slice(0, 10);

function kernelSection({ created, ceilings, results }: KernelResult): string[] {
  const columns: Column[] = [
    { title: "Kernel" },
    { title: "Shape" },
    { title: "Time", right: true },
    { title: "GFLOP/s", right: true },
    { title: "GB/s", right: true },
    { title: "% of limit", right: true },
  ];
  const [arithmetic, copy] = ceilingLines(ceilings).map((line) => line.replace(/\s+/, ": "));
  return [
    ...paragraph(
      `\`deno task bench\`, ${
        day(created)
      }. The limit is what the adapter's own ceilings allow a ` +
        `kernel's arithmetic and traffic, measured in the same run. ${arithmetic}. ${copy}.`,
    ),
    "",
    ...markdownTable(
      columns,
      results.filter(({ kernel }) => shownKernels.test(kernel)).map((row) => [
        row.kernel,
        row.shape,
        formatTime(row.seconds),
        formatRate(row.gflops),
        formatRate(row.gbps),
        formatShare(row.percent),
      ]),
    ),
  ];
}

/** Whether there is a course to plot: steps of several sizes. */
const isSwept = (results: readonly StepRow[]) =>
  new Set(results.map(({ batch, length }) => `${batch} ${length}`)).size > 2;

const plotFile = (file: string) => file.replace(/json$/, "svg");

/** The plots that the section shows, by their files' names in bench/results/. */
export function performancePlots(kept: readonly Kept[]): { file: string; svg: string }[] {
  return kept.flatMap(({ file, result }) =>
    result.kind === "steps" && isOurs(result) && isSwept(result.results)
      ? [{ file: plotFile(file), svg: stepPlot(result) }]
      : []
  );
}

function stepSection(
  { created, adapter, machine, results }: StepResult,
  file: string,
  torch: readonly StepResult[],
): string[] {
  // A CPU's PyTorch beside the software adapter on that CPU, a GPU's beside a GPU of the same machine.
  const comparable = torch.filter((other) =>
    other.adapter.software === adapter.software && other.machine.processor === machine.processor
  );
  const columns: Column[] = [
    { title: "Model" },
    { title: "Method" },
    { title: "Batch", right: true },
    { title: "Tokens a sentence", right: true },
    { title: "Step", right: true },
    { title: "Tokens/s", right: true },
    { title: "Dispatches", right: true },
    { title: "Host", right: true },
    { title: "Peak memory", right: true },
  ];
  const chosen = results.filter(({ batch, length }) =>
    batch === 16 && (length === "emotion" || length === 32 || length === 512)
  );
  const rows = chosen.length > 0 ? chosen : results;
  return [
    ...paragraph(
      `\`deno task bench:step\`, ${
        day(created)
      }. A training step on random weights; emotion stands ` +
        `for sentences of 15 to 25 tokens. Host is the time to record a step. ` +
        `On a software adapter the host shares its cores with the adapter, and copies operands into ` +
        `textures: narrow, bert-base at a width of 64, has as many launches, and neither.`,
    ),
    "",
    ...markdownTable(
      columns,
      rows.map((row) => [
        row.model,
        row.method,
        String(row.batch),
        String(row.length),
        formatTime(row.milliseconds / 1000),
        formatCount(row.tokensPerSecond),
        row.dispatches === null ? "-" : formatCount(row.dispatches),
        row.recordMilliseconds === null ? "-" : formatTime(row.recordMilliseconds / 1000),
        row.peakBytes === null ? "-" : formatBytes(row.peakBytes),
      ]),
    ),
    ...(isSwept(results)
      ? ["", `![Milliseconds of a step by batch and length](../bench/results/${plotFile(file)})`]
      : []),
    ...torchLines(results, comparable.flatMap((each) => each.results)),
  ];
}

/** PyTorch's rows beside ours of the same model, method, batch and length. */
function torchLines(results: readonly StepRow[], torch: readonly StepRow[]): string[] {
  const columns: Column[] = [
    { title: "Step" },
    { title: "PyTorch" },
    { title: "Precision" },
    { title: "Padded to" },
    { title: "PyTorch's time", right: true },
    { title: "Ours", right: true },
    { title: "Times as fast", right: true },
  ];
  const rows = torch.flatMap((row) => {
    const ours = results.find(({ model, method, batch, length }) =>
      model === row.model && method === row.method && batch === row.batch && length === row.length
    );
    if (!ours) return [];
    return [[
      `${row.model} ${row.method}, ${row.batch} × ${row.length}`,
      `${row.engine.replace(/^PyTorch /, "")}, ${row.device}`,
      row.precision,
      row.padding,
      formatTime(row.milliseconds / 1000),
      formatTime(ours.milliseconds / 1000),
      (row.milliseconds / ours.milliseconds).toFixed(2),
    ]];
  });
  if (rows.length === 0) return [];
  return [
    "",
    ...paragraph("The same step in PyTorch with PEFT, `bench/peers/torch_step.py`:"),
    "",
    ...markdownTable(columns, rows),
  ];
}

function peerSection({ created, results }: PeerResult): string[] {
  return [
    ...paragraph(
      `\`deno task bench:peers\`, ${day(created)}. The same operations in jax-js 0.1.25 and ` +
        `TensorFlow.js 4.22 on this adapter, in turn in one run.`,
    ),
    "",
    ...markdownTable(peerColumns, results.map(peerCells)),
  ];
}
