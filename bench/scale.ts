/** Scales and ticks of logarithmic axes. */

/** Maps values of a domain to positions of a range, logarithmically. */
export function logScale(
  [low, high]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  const length = Math.log(high / low);
  return (value) =>
    length === 0 ? (start + end) / 2 : start + (end - start) * Math.log(value / low) / length;
}

/** Ticks that enclose a range of positive values: 1, 2 and 5 in every decade, or decades where it spans many. */
export function axisTicks(least: number, most: number): number[] {
  const steps = most / least > 300 ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (
    let decade = Math.floor(Math.log10(least));
    decade <= Math.ceil(Math.log10(most));
    decade++
  ) {
    // from text: 10 ** -2 * 5 is not 0.05
    all.push(...steps.map((step) => Number(`${step}e${decade}`)));
  }
  const first = all.findLastIndex((tick) => tick <= least);
  const last = all.findIndex((tick) => tick >= most && tick > all[first]);
  return all.slice(first, last + 1);
}
