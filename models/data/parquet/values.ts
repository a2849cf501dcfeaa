/** Values of Parquet's types as text that reads as pandas shows them, and keeps their digits. */
import type { SchemaElement } from "hyparquet";
import { hexOf } from "../../files/hex.ts";
import { isDecimal } from "./schema.ts";

/** A time since 1970 in units of which `perMillisecond` make a millisecond. */
function timeText(since: bigint | number, perMillisecond: bigint, digits: number): string {
  const units = BigInt(since);
  const rest = ((units % perMillisecond) + perMillisecond) % perMillisecond;
  const date = new Date(Number((units - rest) / perMillisecond));
  if (Number.isNaN(date.getTime())) return String(units);
  const text = date.toISOString();
  return rest === 0n ? text : text.replace("Z", rest.toString().padStart(digits, "0") + "Z");
}

/** hyparquet's parsers, which make a Date of milliseconds where these keep all digits. */
export const parsers = {
  timestampFromMilliseconds: (since: bigint) => timeText(since, 1n, 0),
  timestampFromMicroseconds: (since: bigint) => timeText(since, 1000n, 3),
  timestampFromNanoseconds: (since: bigint) => timeText(since, 1_000_000n, 6),
  dateFromDays: (days: number) => timeText(days * 86_400_000, 1n, 0).replace("T00:00:00.000Z", ""),
};

/** A whole number in two's complement, the highest byte first. */
function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(value);
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined;
  const unsigned = BigInt(`0x${hexOf(value)}`);
  return BigInt.asIntN(value.length * 8, unsigned);
}

function decimalText(value: unknown, scale: number): unknown {
  const whole = wholeNumber(value);
  if (whole === undefined || scale <= 0 || scale > 1000) return whole ?? value;
  const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, "0");
  const sign = whole < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The fewest digits that make the same float of 32 bits: 0.1, not 0.10000000149011612. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

/** A value as hyparquet gives it, with the digits that its type has. */
export function exactValue(value: unknown, element: SchemaElement): unknown {
  if (value === null || value === undefined) return null;
  if (isDecimal(element)) {
    const scale = element.logical_type?.type === "DECIMAL"
      ? element.logical_type.scale
      : element.scale;
    return decimalText(value, scale ?? 0);
  }
  if (element.type === "FLOAT" && typeof value === "number" && Number.isFinite(value)) {
    return floatText(value);
  }
  return value;
}
