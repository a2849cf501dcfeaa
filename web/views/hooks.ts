/** What views share: they are drawn again when the lab changes, at most once a frame. */
/// <reference lib="dom" />
import type { RefObject } from "preact";
import { useEffect, useReducer, useState } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";

/** What every part of the page gets; parts that are not shown keep what was entered there, and rest. */
export interface PartProps {
  lab: Lab;
  shown: boolean;
}

export function useLab(lab: Lab, shown: boolean): void {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    if (!shown) return;
    let frame = 0;
    const stop = lab.listen(() => {
      // A page in the background has no frames: it is drawn when it is looked at again.
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        redraw();
      });
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [lab, shown]);
}

/** The width in pixels that an element has for a drawing, followed as it changes; undefined while it is not shown. */
export function useWidth(place: RefObject<HTMLElement | null>): number | undefined {
  const [width, setWidth] = useState<number>();
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => {
      setWidth(contentRect.width > 0 ? Math.round(contentRect.width) : undefined);
    });
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Hands a file to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
