/** Counts what lives on a GPU. */

/** Buffers, textures and query sets that were made during `run` and not destroyed. */
export async function leftBy(gpu: GPUDevice, run: () => Promise<void>): Promise<number> {
  let live = 0;
  const methods = ["createBuffer", "createTexture", "createQuerySet"] as const;
  for (const method of methods) {
    const original = gpu[method] as (descriptor: unknown) => { destroy(): void };
    Object.defineProperty(gpu, method, {
      configurable: true,
      value: (descriptor: unknown) => {
        const made = original.call(gpu, descriptor);
        const destroy = made.destroy.bind(made);
        live++;
        Object.defineProperty(made, "destroy", {
          value: () => {
            live--;
            destroy();
          },
        });
        return made;
      },
    });
  }
  try {
    await run();
  } finally {
    for (const method of methods) Reflect.deleteProperty(gpu, method);
  }
  return live;
}
