/**
 * The kernel and step benchmarks for bench/gpu.sh: tables on stderr, one JSON document on stdout. Arguments
 * are `--quick`, `--backend=dawn` and `name=file`, whose content goes into the document. Needs no package and no
 * network.
 */
import { createDevice, type Device } from "../engine/device.ts";
import { backendOf } from "./backend.ts";
import { casesOf } from "../kernelbench/cases.ts";
import { resultHead } from "./environment.ts";
import { benchHalfPrecision } from "../kernelbench/half_precision.ts";
import { benchKernels } from "../kernelbench/kernel_bench.ts";
import { ceilingLines, kernelTable } from "./kernel_table.ts";
import { probe } from "./probe.ts";
import type { KernelResult, StepResult } from "./schema.ts";
import { parseShapes } from "../kernelbench/shapes.ts";
import { benchSteps, type Point } from "./step_bench.ts";
import { pointsOf, stepTable } from "./step_table.ts";

const width = 100;

function say(lines: readonly string[]): void {
  console.error(lines.join("\n"));
}

/** A file that another program wrote: JSON, or text where it is none. */
async function attached(path: string): Promise<unknown> {
  const text = await Deno.readTextFile(path);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function kernels(device: Device, quick: boolean): Promise<KernelResult> {
  const names = quick
    ? "mini"
    : device.info.software
    ? "base,1024x1024x1024"
    : "base,mini,1024x1024x1024,4096x4096x4096";
  const options = { cases: parseShapes(names).flatMap(casesOf), samples: quick ? 1 : undefined };
  const measured = await benchKernels(device, options);
  measured.results.push(...await benchHalfPrecision({ ...options, ceilings: measured.ceilings }));
  const result: KernelResult = { kind: "kernels", ...resultHead(device.info), ...measured };
  say([...ceilingLines(result.ceilings), "", ...kernelTable(result.results, width), ""]);
  return result;
}

async function steps(device: Device, quick: boolean): Promise<StepResult> {
  const emotion: Point[] = (["full", "lora", "adapter"] as const)
    .map((method) => ({ model: "base", method, batch: 16, length: "emotion" }));
  const points: Point[] = quick
    ? [{ model: "mini", method: "lora", batch: 4, length: 8 }]
    : [...emotion, ...pointsOf({ grid: false, models: ["mini"] }, device.info.software)];
  if (!quick && !device.info.software) {
    points.push(...pointsOf({ grid: false, models: ["base"] }, false));
  }
  const results = await benchSteps(device, points);
  say([...stepTable(results, width), ""]);
  return { kind: "steps", ...resultHead(device.info), results };
}

if (import.meta.main) {
  const quick = Deno.args.includes("--quick");
  const files = Deno.args.filter((argument) => /^\w+=/.test(argument));
  const backend = await backendOf(Deno.args);
  const device = await createDevice({ features: ["timestamp-query"] });
  const document: Record<string, unknown> = {
    kind: "gpu",
    backend,
    ...resultHead(device.info),
    probe: await probe(),
    kernels: await kernels(device, quick),
    steps: await steps(device, quick),
  };
  for (const file of files) {
    const [, name, path] = /^(\w+)=(.*)$/s.exec(file) ?? [];
    document[name] = await attached(path);
  }
  device.destroy();
  console.log(JSON.stringify(document, null, 2));
  Deno.exit(0); // Dawn keeps the process
}
