/** A figure of curves over training steps, with its numbers behind it. */
/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { useWidth } from "./hooks.ts";
import type { Series } from "./plot.ts";

type Drawing = typeof import("./plot.ts");

interface Props {
  title: string;
  /** A sentence below it. */
  hint?: string;
  series: readonly Series[];
  /** Steps that the longest run will have. */
  longest: number;
  /** Of the vertical axis, where it does not follow the values. */
  from?: [number, number];
}

export function Chart({ title, hint, series, longest, from }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<Drawing>();
  useEffect(() => {
    import("./plot.ts").then(setDrawing);
  }, []);
  const width = useWidth(place);
  useEffect(() => {
    if (!drawing || width === undefined) return;
    place.current?.replaceChildren(drawing.curves(series, { width, longest, from }));
  });
  const shown = series.filter(({ points }) => points.length > 0);
  return (
    <figure>
      <figcaption>
        <strong>{title}</strong>
        {hint && <span>{hint}</span>}
      </figcaption>
      <div ref={place} class="drawing" />
      <ul class="legend">
        {shown.map(({ name, colour, points }) => (
          <li key={name}>
            <i style={{ background: colour }} />
            {name} <b>{points.at(-1)!.y.toFixed(4)}</b>
          </li>
        ))}
      </ul>
      <details class="data">
        <summary>Numbers</summary>
        <div class="scroll" tabIndex={0} role="group" aria-label={`${title} in numbers`}>
          <table>
            <thead>
              <tr>
                <th>Run</th>
                <th class="number">Step</th>
                <th class="number">Value</th>
              </tr>
            </thead>
            <tbody>
              {shown.flatMap(({ name, points }) =>
                points.map(({ x, y }) => (
                  <tr key={`${name} ${x}`}>
                    <td>{name}</td>
                    <td class="number">{x}</td>
                    <td class="number">{y.toFixed(6)}</td>
                  </tr>
                ))
              )}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
