/** Weights by the name of safetensors, which may be something else. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { pointerError } from "./lfs_pointer.ts";
import { openSafetensors, type SafetensorsFile } from "./safetensors.ts";
import { beginningOf, signatureOf } from "./signature.ts";

/**
 * Reads the header of a safetensors file, as {@link openSafetensors} does, which closes the source when
 * it throws. Where the file is none, the UserError says what it is as far as its first bytes tell.
 */
export async function openWeightsFile(source: ByteSource): Promise<SafetensorsFile> {
  const { name } = source;
  const beginning = await beginningOf(source).catch((error: unknown) => {
    source.close?.();
    throw error;
  });
  try {
    return await openSafetensors(source);
  } catch (cause) {
    // Only now: the length of a header may look like the beginning of a pickle.
    const pointer = pointerError(beginning, name);
    if (pointer) throw pointer;
    if (/^\s*[{[]/.test(beginning)) {
      throw new UserError(
        `${name} is JSON, no safetensors file: of a model, an adapter or a run the folder can be ` +
          `inspected, and tables of rows end in .json or .jsonl.`,
        { cause },
      );
    }
    const what = signatureOf(beginning);
    if (what === undefined) throw cause;
    const pickle = /pickle/.test(what)
      ? " Loading a pickle can run code, so it is not opened: save the model as safetensors with " +
        "Python's transformers, model.save_pretrained(folder, safe_serialization=True)."
      : " Download the file again.";
    throw new UserError(`${name} is ${what}, no safetensors file.${pickle}`, { cause });
  }
}
