/** A checkpoint's tensors told briefly: those that repeat in every layer once, with the layers' numbers. */
import type { TensorInfo } from "./safetensors_header.ts";

/** Tensors of one dtype and shape whose names differ in their numbers alone. */
export interface TensorGroup extends TensorInfo {
  /** `encoder.layer.{0…11}.output.dense.weight`; the name itself where there is one. */
  name: string;
  count: number;
  /** Of all of them. */
  byteLength: number;
}

interface Totals {
  tensors: number;
  values: number;
  bytes: number;
}

/** Counts of tensors, of their values and of their bytes. */
export function totalsOf(tensors: readonly TensorInfo[]): Totals {
  const totals = { tensors: tensors.length, values: 0, bytes: 0 };
  for (const { shape, byteLength } of tensors) {
    totals.values += shape.reduce((product, side) => product * side, 1);
    totals.bytes += byteLength;
  }
  return totals;
}

/** Groups tensors, in the order of each group's first; together they hold every tensor once. */
export function groupTensors(tensors: readonly TensorInfo[]): TensorGroup[] {
  return groupsBy(tensors, allNumbers).flatMap((members) => {
    const name = patternOf(members);
    // Not every combination of several numbers is there: by the first number alone.
    return name !== undefined
      ? [groupOf(name, members)]
      : groupsBy(members, firstNumber).map((few) => groupOf(patternOf(few)!, few));
  });
}

const allNumbers = /(?<=^|\.)\d+(?=\.|$)/g;
const firstNumber = /(?<=^|\.)\d+(?=\.|$)/;

function groupsBy(tensors: readonly TensorInfo[], numbers: RegExp): TensorInfo[][] {
  const groups = new Map<string, TensorInfo[]>();
  for (const tensor of tensors) {
    const key = `${tensor.name.replace(numbers, "#")} ${tensor.dtype} ${tensor.shape}`;
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [tensor]);
    else members.push(tensor);
  }
  return [...groups.values()];
}

/** The one name that stands for all; undefined where it would stand for others, too. */
function patternOf(members: readonly TensorInfo[]): string | undefined {
  const places = members.map(({ name }) => name.match(allNumbers) ?? []);
  const found = (places[0] ?? []).map((_, at) => [...new Set(places.map((each) => each[at]))]);
  if (found.reduce((product, { length }) => product * length, 1) !== members.length) return;
  let at = 0;
  return members[0].name.replace(allNumbers, () => rangesOf(found[at++]));
}

/** `7`, `{0…11}`, `{0,2,4…6}`. */
function rangesOf(numbers: readonly string[]): string {
  if (numbers.length === 1) return numbers[0];
  const sorted = [...numbers].sort((a, b) => Number(a) - Number(b));
  const ranges: [string, string][] = [];
  for (const number of sorted) {
    const last = ranges.at(-1);
    if (last && Number(number) === Number(last[1]) + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const texts = ranges.map(([first, last]) => first === last ? first : `${first}…${last}`);
  return `{${texts.join(",")}}`;
}

function groupOf(name: string, members: readonly TensorInfo[]): TensorGroup {
  const { dtype, shape } = members[0];
  return { name, dtype, shape, count: members.length, byteLength: totalsOf(members).bytes };
}
