/** For bench/static.sh: writes the kernels that GPUs get, a file each, and list.tsv: file, group, entry point, overrides. */
import { print } from "./command.ts";
import { sourceFor } from "../engine/dialect.ts";
import { gpuKernels } from "./gpu_kernels.ts";

if (import.meta.main) {
  const [folder, ...rest] = Deno.args;
  if (folder === undefined || rest.length > 0) {
    print(["deno run --allow-write=FOLDER bench/static.ts FOLDER"]);
    Deno.exit(2);
  }
  await Deno.mkdir(folder, { recursive: true });
  const kernels = gpuKernels();
  const lines = kernels.map(({ group, kernel }, i) => {
    const overrides = Object.entries(kernel.constants).map(([name, value]) => `${name}=${value}`);
    return [`${i}.wgsl`, group, kernel.entryPoint, overrides.join(",")].join("\t");
  });
  await Promise.all(
    kernels.map(({ kernel }, i) =>
      Deno.writeTextFile(`${folder}/${i}.wgsl`, sourceFor(kernel, ["f16"]))
    ),
  );
  await Deno.writeTextFile(`${folder}/list.tsv`, lines.map((line) => `${line}\n`).join(""));
  print([`${kernels.length} kernels written to ${folder}`]);
}
