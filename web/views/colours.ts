/** How a run is drawn: a hue for each method, told apart with any kind of colour vision, and a dash for each of its runs. */

const families = ["full", "lora", "adapter", "ia3"];
const dashes = [undefined, "7,3", "2,3", "9,3,2,3"];

export interface Look {
  colour: string;
  dash?: string;
}

/** The looks of runs by their methods' names, in their order. */
export function looksOf(methods: readonly string[]): Look[] {
  return methods.map((method, index) => {
    const before = methods.slice(0, index).filter((other) => other === method).length;
    const family = families.includes(method) ? method : "other";
    return { colour: `var(--${family})`, dash: dashes[before % dashes.length] };
  });
}
