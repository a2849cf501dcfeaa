/**
 * TensorBoard's event files: protobuf messages `Event` (tensorboard/compat/proto/event.proto, summary.proto) in the framing
 * of TFRecord (tensorflow/core/lib/io/record_writer.cc). Written here are scalars alone, as `simple_value`.
 */
import { maskedCrc32c } from "./crc.ts";

/** Values of a moment by their tags, such as `train/loss`. */
export interface ScalarEvent {
  /** Seconds since 1970. */
  wallTime: number;
  step: number;
  scalars: Readonly<Record<string, number>>;
}

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 };

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(rest % 128 + (rest >= 128 ? 128 : 0));
  }
  return bytes;
}

function little(size: number, set: (view: DataView) => void): number[] {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return [...bytes];
}

const key = (field: number, type: number) => varint(field * 8 + type);
const int = (field: number, value: number) => [...key(field, wire.varint), ...varint(value)];
const double = (field: number, value: number) => [
  ...key(field, wire.fixed64),
  ...little(8, (view) => view.setFloat64(0, value, true)),
];
const float = (field: number, value: number) => [
  ...key(field, wire.fixed32),
  ...little(4, (view) => view.setFloat32(0, value, true)),
];
const nested = (field: number, bytes: ArrayLike<number>) => [
  ...key(field, wire.bytes),
  ...varint(bytes.length),
  ...Array.from(bytes),
];
const text = (field: number, value: string) => nested(field, new TextEncoder().encode(value));

/** An `Event` with a `Summary` of scalars. */
function scalarMessage({ wallTime, step, scalars }: ScalarEvent): number[] {
  const values = Object.entries(scalars).map(([tag, value]) =>
    nested(1, [...text(1, tag), ...float(2, value)])
  );
  return [...double(1, wallTime), ...int(2, step), ...nested(5, values.flat())];
}

/** Length and its checksum, the message and its checksum. */
function record(message: number[]): Uint8Array {
  const bytes = new Uint8Array(12 + message.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(message, 12);
  const body = bytes.subarray(12, 12 + message.length);
  view.setUint32(12 + message.length, maskedCrc32c(body), true);
  return bytes;
}

/** The pieces of an event file, in the order of `events`; `begun` in seconds since 1970. */
export function* eventFile(begun: number, events: Iterable<ScalarEvent>): Generator<Uint8Array> {
  yield record([...double(1, begun), ...text(3, "brain.Event:2")]);
  for (const event of events) yield record(scalarMessage(event));
}
