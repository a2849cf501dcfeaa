/**
 * Reverse-mode differentiation on an eager tape: every operation that meets a tensor with
 * `requiresGrad` notes its output and how to carry the output's gradient to its inputs.
 *
 * Memory needs no reference counts in user code: the tape runs backwards, so when an operation's turn
 * has come, everything that reads its output has been through, and output and gradient can go.
 */
import { add as addKernel } from "../kernels/mod.ts";
import type { Device } from "./device.ts";
import { launchElementwise } from "./elementwise.ts";
import { bytesPerValue } from "./pack.ts";
import { emptyLike, formatOf, persistent, Tensor, upload, zeros } from "./tensor.ts";

/** Where an operation may write the gradient of an input. */
export interface GradientTarget {
  tensor: Tensor;
  /** The tensor holds the input's gradient so far, to be added to; else it holds nothing. */
  accumulate: boolean;
}

/**
 * Gradients for an operation's inputs, in their order; undefined where none is wanted. `target(i)` is where a
 * kernel that can add to what is there should write input i's: that saves a pass over the two. Undefined where
 * the input wants none. What was written there is returned as any other gradient.
 */
type Backward = (
  gradient: Tensor,
  target: (input: number) => GradientTarget | undefined,
) => (Tensor | undefined)[];

interface Entry {
  inputs: readonly Tensor[];
  output: Tensor;
  backward: Backward;
  /** What the operation kept for its backward pass, besides inputs and output. */
  saved: readonly Tensor[];
}

let tape: Entry[] | undefined;

/** Runs `forward` on a tape; returns its result and the function that runs backwards from it. */
export function withTape(
  forward: () => Tensor,
): { output: Tensor; backward: (gradient?: Tensor) => void } {
  const entries: Entry[] = [];
  const output = onTape(entries, forward);
  return {
    output,
    backward: (gradient) => onTape(undefined, () => runBackward(entries, output, gradient)),
  };
}

/** Runs without a tape, as evaluation does. */
export function noGrad<T>(run: () => T): T {
  return onTape(undefined, run);
}

function onTape<T>(entries: Entry[] | undefined, run: () => T): T {
  const outer = tape;
  tape = entries;
  try {
    return run();
  } finally {
    tape = outer;
  }
}

/**
 * Runs a part of a forward pass. Without a tape all its tensors but the result are released at once, so
 * that an evaluation holds one tensor a layer; with one they are needed.
 */
export function scope(device: Device, run: () => Tensor): Tensor {
  if (tape) return run();
  const mark = device.memory.mark();
  const result = run();
  device.memory.releaseSince(mark, result.storage);
  return result;
}

/**
 * A part of a forward pass that keeps only its input and its result for the backward pass, which runs the
 * part again (Chen et al. 2016, arXiv:1604.06174): less memory, more time, the same bits. `run` must
 * depend on nothing that changes until then; it is given `input`.
 */
export function checkpoint(input: Tensor, run: (input: Tensor) => Tensor): Tensor {
  const { device } = input;
  const entries = tape;
  const site = device.dropoutSite;
  const mark = device.memory.mark();
  // This tape only tells whether anything within wants a gradient: its entries are thrown away.
  const output = onTape(entries && [], () => run(input));
  device.memory.releaseSince(mark, output.storage);
  if (!entries || output === input || !output.requiresGrad) return output;
  const again: Tensor[] = [];
  const backward: Backward = (gradient) => {
    const next = device.dropoutSite;
    device.dropoutSite = site; // for the same masks
    // The part's entries come to lie on top of the tape that is running backwards, which goes on with
    // them, once this entry has handed the gradient of its output to that of the second run.
    again.push(onTape(entries, () => run(input)));
    device.dropoutSite = next;
    return [gradient];
  };
  entries.push({ inputs: again, output, backward, saved: [] });
  return output;
}

/** Whether an operation on these inputs is noted for a backward pass. */
export function isRecorded(inputs: readonly Tensor[]): boolean {
  return tape !== undefined && inputs.some((input) => input.requiresGrad);
}

/** Notes an operation; returns its output. Does nothing where no input wants a gradient. */
export function record(
  inputs: readonly Tensor[],
  output: Tensor,
  backward: Backward,
  saved: readonly Tensor[] = [],
): Tensor {
  if (isRecorded(inputs)) {
    output.requiresGrad = true;
    tape!.push({ inputs, output, backward, saved });
  }
  return output;
}

/**
 * The buffer that a parameter's gradient kernels add to: the optimiser's, or a zeroed one that lives as
 * long as the parameter. Weights are used by large products, which add where they write instead of
 * making a gradient to be added later.
 */
export function gradientBuffer(parameter: Tensor): Tensor {
  const { device, shape, storage, dtype } = parameter;
  return parameter.gradient ??= storage.arena
    ? zeros(device, shape, dtype)
    : persistent(device, shape);
}

function runBackward(entries: Entry[], output: Tensor, seed?: Tensor): void {
  const { memory } = output.device;
  const pending = new Map<Tensor, Tensor>();
  const drop = (gradient: Tensor) => {
    if (--gradient.storage.holds === 0) memory.release(gradient.storage);
  };
  const targetOf = (input: Tensor): GradientTarget | undefined => {
    if (!input.requiresGrad) return undefined;
    const earlier = pending.get(input);
    // With a second hold the buffer is another tensor's gradient too; outside the arena it is the caller's.
    const own = earlier?.storage.arena && earlier.storage.holds === 1;
    if (own) return { tensor: earlier, accumulate: true };
    return { tensor: emptyLike(input), accumulate: false };
  };
  const give = (tensor: Tensor, gradient: Tensor) => {
    gradient.storage.holds++;
    if (!tensor.requiresGrad) return drop(gradient); // a kernel made it along with a wanted one
    const earlier = pending.get(tensor);
    const sum = earlier ? addGradients(earlier, gradient) : gradient;
    if (earlier) {
      sum.storage.holds++;
      drop(earlier);
      drop(gradient);
    }
    pending.set(tensor, sum);
  };
  give(output, seed ?? ones(output));
  while (entries.length > 0) {
    const entry = entries.pop()!;
    if (entry.output.gradient) { // an operation took it for a parameter: see gradientBuffer
      give(entry.output, entry.output.gradient);
      entry.output.gradient = undefined;
    }
    const gradient = pending.get(entry.output);
    pending.delete(entry.output);
    if (gradient) {
      const addedInPlace: Tensor[] = [];
      const target = (input: number) => {
        const found = targetOf(entry.inputs[input]);
        if (found?.accumulate) addedInPlace[input] = found.tensor;
        return found;
      };
      entry.backward(gradient, target).forEach((inputGradient, index) => {
        if (inputGradient && inputGradient !== addedInPlace[index]) {
          give(entry.inputs[index], inputGradient);
        }
      });
      drop(gradient);
    }
    for (const saved of entry.saved) memory.release(saved.storage);
    if (entry.output !== output) memory.release(entry.output.storage);
  }
  for (const [leaf, gradient] of pending) {
    addTo(gradientBuffer(leaf), gradient);
    drop(gradient);
  }
}

/** What a backward pass starts from. A loss's is at hand, so that a step writes to no buffer. */
function ones({ device, shape, size }: Tensor): Tensor {
  return size === 1
    ? new Tensor(device, shape, device.one)
    : upload(device, shape, new Float32Array(size).fill(1));
}

/** Adds in place, so that an optimiser's buffer stays the one that it reads. */
export function addTo(buffer: Tensor, gradient: Tensor): void {
  const sum = addGradients(buffer, gradient);
  buffer.device.launcher.record((encoder) =>
    encoder.copyBufferToBuffer(
      sum.storage.buffer,
      sum.offset,
      buffer.storage.buffer,
      buffer.offset,
      Math.ceil(buffer.size * bytesPerValue[buffer.dtype] / 4) * 4,
    )
  );
  buffer.device.memory.release(sum.storage);
}

function addGradients(a: Tensor, b: Tensor): Tensor {
  const sum = emptyLike(a);
  launchElementwise(addKernel(formatOf(a)).forward, { a, b, y: sum }, { factor: 1 });
  return sum;
}
