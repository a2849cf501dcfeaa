/** Prints the losses on Deno's WebGPU, in a process that has this project's packages: the browser's tests have their own. */
import { losses } from "./training.ts";

const assets = new URL("../../assets/", import.meta.url);
console.log(JSON.stringify(await losses((path) => Deno.readFile(new URL(path, assets)))));
