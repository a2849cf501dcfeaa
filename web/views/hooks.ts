/** What views share: they are drawn again when the lab changes, at most once a frame. */
/// <reference lib="dom" />
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
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

/**
 * Where the button that had the focus goes away or is disabled, such as that which stops a training, the focus goes to a
 * place that stays, or those who hear the page would be at its top. The result is the panel's.
 */
export function useFocusKept(place: RefObject<HTMLElement | null>) {
  const last = useRef<HTMLElement>(undefined);
  useLayoutEffect(() => {
    const { current } = last;
    const isThere = current?.isConnected && !current.matches(":disabled");
    if (!current || isThere) return;
    last.current = undefined;
    if ([null, document.body, current].includes(document.activeElement as HTMLElement | null)) {
      place.current?.focus({ preventScroll: true });
    }
  });
  return {
    onFocusIn: ({ target }: FocusEvent) => last.current = target as HTMLElement,
    onFocusOut: ({ target }: FocusEvent) => {
      // Chromium tells this of an element that goes away too, while it is still there.
      setTimeout(() => {
        const left = target as HTMLElement;
        if (last.current === left && left.isConnected && left !== document.activeElement) {
          last.current = undefined;
        }
      });
    },
  };
}

/** Hands a file to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
