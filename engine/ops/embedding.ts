import { embedding as kernelsOf } from "../../kernels/mod.ts";
import type { Binding } from "../bind_groups.ts";
import type { Device } from "../device.ts";
import { workgroupsFor } from "../elementwise.ts";
import { bytesPerValue, type Dtype } from "../pack.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, formatOf, type Tensor, type UploadPart, uploadTogether, zeros } from "../tensor.ts";

/** Row numbers on the GPU, and the same grouped by row for the backward pass. */
export interface RowIndex {
  /** [count] u32 */
  ids: Tensor;
  /** [count] u32: places in `ids`, grouped by row, ascending within a row */
  order: Tensor;
  /** [count, 3] u32: row, first and last (exclusive) place in `order`; zeros where rows are not distinct */
  slots: Tensor;
}

/** Uploads row numbers, grouped for an embedding's gradient. */
export function rowIndex(device: Device, ids: Uint32Array): RowIndex {
  return rowIndices(device, [ids]).indices[0];
}

/** Uploads several row indices, and other u32 tensors with them, by one write. */
export function rowIndices(
  device: Device,
  lists: readonly Uint32Array[],
  others: readonly UploadPart[] = [],
): { indices: RowIndex[]; others: Tensor[] } {
  const grouped = lists.map(groupRows);
  const parts = grouped.flatMap(({ ids, order, slots }) => [
    { shape: [ids.length], data: ids },
    { shape: [ids.length], data: order },
    { shape: [ids.length, 3], data: slots },
  ]);
  const tensors = uploadTogether(device, [...parts, ...others]);
  return {
    indices: grouped.map((_, i) => {
      const [ids, order, slots] = tensors.slice(3 * i);
      return { ids, order, slots };
    }),
    others: tensors.slice(parts.length),
  };
}

function groupRows(ids: Uint32Array) {
  const count = ids.length;
  // Row and place in one number each: sorting without a comparison of ours takes a fifth of the time.
  const keys = new Float64Array(count);
  for (let place = 0; place < count; place++) keys[place] = ids[place] * count + place;
  keys.sort();
  const order = Uint32Array.from(keys, (key) => key % count);
  const slots = new Uint32Array(3 * count);
  let distinct = 0;
  for (let first = 0, last = 0; first < order.length; first = last) {
    const row = ids[order[first]];
    while (last < order.length && ids[order[last]] === row) last++;
    slots.set([row, first, last], 3 * distinct++);
  }
  return { ids, order, slots };
}

/**
 * Rows of a table: y[t] = table[ids[t]], table [rows, columns], y [count, columns] of a dtype, the table's unless
 * given; columns a multiple of 4. The gradient sums each row's tokens in their order. A table above the binding limit is bound in pieces.
 */
export function embedding(
  table: Tensor,
  index: RowIndex,
  dtype: Dtype = table.dtype,
): Tensor {
  const { device, columns } = table;
  if (columns % 4 !== 0) {
    throw new Error(`A table of [${table.shape.join(", ")}]: columns are not a multiple of 4.`);
  }
  const count = index.ids.size;
  const y = empty(device, [count, columns], dtype);
  const kernels = kernelsOf({ table: formatOf(table), rows: formatOf(y) });
  forEachPiece(table, (piece, params) =>
    device.launcher.launch(
      kernels.forward,
      { table: piece, ids: index.ids.binding, y: y.binding },
      { ...params, count },
      workgroupsFor(count * columns / 4),
    ));
  return record([table], y, (dy) => {
    // A table computed on the tape (the hidden states that [CLS] rows are taken from) gets a gradient
    // of its own; a parameter's buffer is added to.
    const parameter = table.gradient !== undefined;
    const dtable = parameter ? gradientBuffer(table) : zeros(device, table.shape, table.dtype);
    forEachPiece(dtable, (piece, params) =>
      device.launcher.launch(
        kernels.backward,
        { slots: index.slots.binding, order: index.order.binding, dy: dy.binding, dtable: piece },
        { ...params, count },
        workgroupsFor(count * columns / 4),
      ));
    return parameter ? [] : [dtable];
  });
}

/** Binds a table in pieces of whole rows below the binding limit. */
function forEachPiece(
  table: Tensor,
  run: (piece: Binding, params: { columns: number; firstRow: number; tableRows: number }) => void,
): void {
  const { device, rows, columns } = table;
  const rowBytes = columns * bytesPerValue[table.dtype];
  // 64 rows keep every piece's offset a multiple of 256, the strictest alignment that WebGPU has.
  const pieceRows = Math.max(64, Math.floor(device.maxBindingBytes / rowBytes / 64) * 64);
  for (let firstRow = 0; firstRow < rows; firstRow += pieceRows) {
    const tableRows = Math.min(pieceRows, rows - firstRow);
    const { storage, offset } = table;
    run({ storage, offset: offset + firstRow * rowBytes, size: tableRows * rowBytes }, {
      columns: columns / 4,
      firstRow,
      tableRows,
    });
  }
}
