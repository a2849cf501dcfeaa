/** What views share: they are drawn again when the lab changes, at most once a frame. */
/// <reference lib="dom" />
import { useEffect, useReducer } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";

export function useLab(lab: Lab): void {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
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
  }, [lab]);
}

/** Hands a file to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
