/** A curve in a line of text, of eight heights: `▇▅▃▂▁▁`. */

const heights = [..."▁▂▃▄▅▆▇█"];

/** Means of at most `width` pieces of the values, between the least and the greatest of them. Nothing for one value. */
export function renderCurve(values: readonly number[], width: number): string {
  const cells = Math.min(width, values.length);
  if (cells < 2) return "";
  const means = Array.from({ length: cells }, (_, cell) => {
    const piece = values.slice(
      Math.floor(cell * values.length / cells),
      Math.floor((cell + 1) * values.length / cells),
    );
    return piece.reduce((sum, value) => sum + value, 0) / piece.length;
  });
  const [least, greatest] = [Math.min(...means), Math.max(...means)];
  const range = greatest - least || 1;
  return means.map((mean) => heights[Math.round((mean - least) / range * (heights.length - 1))])
    .join("");
}

/** How far something has come: `▕████····▏`. */
export function renderBar(share: number, cells: number): string {
  const done = Math.floor(cells * Math.min(1, Math.max(0, share)));
  return `▕${"█".repeat(done)}${"·".repeat(cells - done)}▏`;
}
