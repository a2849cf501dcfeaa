import assert from "node:assert/strict";
import { groupTensors, totalsOf } from "../../models/files/tensor_groups.ts";
import type { TensorInfo } from "../../models/files/safetensors.ts";

const tensor = (name: string, shape = [2, 3]): TensorInfo => ({
  name,
  dtype: "F32",
  shape,
  byteLength: 4 * shape.reduce((product, side) => product * side, 1),
});

const namesOf = (names: string[]) =>
  groupTensors(names.map((name) => tensor(name))).map(({ name, count }) => `${name} ${count}`);

Deno.test("tensors that differ in their layer alone are told once, with the layers and their count", () => {
  const layers = Array.from({ length: 12 }, (_, layer) => `layer.${layer}.down.0.weight`);
  assert.deepEqual(namesOf(["embeddings", ...layers, "head.weight"]), [
    "embeddings 1",
    "layer.{0…11}.down.0.weight 12",
    "head.weight 1",
  ]);
  assert.deepEqual(namesOf(["a.7.b", "a.0.b", "a.2.b", "a.1.b"]), ["a.{0…2,7}.b 4"]);
  assert.deepEqual(namesOf(["a.0.e.0.b", "a.0.e.1.b", "a.1.e.0.b", "a.1.e.1.b"]), [
    "a.{0…1}.e.{0…1}.b 4",
  ]);
});

Deno.test("a group's name stands for its tensors alone", () => {
  // a.{0…1}.e.{0…1}.b would stand for a.1.e.1.b as well.
  assert.deepEqual(namesOf(["a.0.e.0.b", "a.0.e.1.b", "a.1.e.0.b"]), [
    "a.{0…1}.e.0.b 2",
    "a.0.e.1.b 1",
  ]);
  // Numbers within a word are no layers.
  assert.deepEqual(namesOf(["lin1.weight", "lin2.weight"]), ["lin1.weight 1", "lin2.weight 1"]);
});

Deno.test("other shapes are another group, and bytes are those of all", () => {
  const groups = groupTensors([tensor("a.0"), tensor("a.1", [5]), tensor("a.2")]);
  assert.deepEqual(groups.map(({ name, byteLength }) => [name, byteLength]), [
    ["a.{0,2}", 48],
    ["a.1", 20],
  ]);
  assert.deepEqual(totalsOf([tensor("a"), tensor("scalar", [])]), {
    tensors: 2,
    values: 7,
    bytes: 28,
  });
  assert.deepEqual(groupTensors([]), []);
});
