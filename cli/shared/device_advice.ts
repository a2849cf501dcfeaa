/** What a user of the command line can do about an error of the GPU, whose own message has the facts only. */
import {
  AdapterTooSmallError,
  BindingTooLargeError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../../engine/errors.ts";

const smallerTensors =
  "Lower --batch_size (and raise --gradient_accumulation_steps) or --max_length";

/** What to do where there is no adapter that serves; undefined for any other error. */
export function adviceForAdapter(error: unknown): string | undefined {
  if (error instanceof NoAdapterError) {
    return `On Debian or Ubuntu: apt-get install mesa-vulkan-drivers. See README, "No GPU".`;
  }
  if (error instanceof AdapterTooSmallError) {
    return `An OpenGL adapter stands in where there is no Vulkan driver. See README, "No GPU".`;
  }
}

/** What to do about an error in training; undefined where the message says all. */
export function adviceForDevice(error: unknown): string | undefined {
  // Gradient checkpointing keeps fewer tensors, none of which is smaller for it.
  if (error instanceof OutOfMemoryError) {
    const fewer = error.limit === undefined ? ", or take --gradient_checkpointing" : "";
    return `${smallerTensors}${fewer}.`;
  }
  if (error instanceof BindingTooLargeError) return `${smallerTensors}.`;
  if (error instanceof DeviceLostError && !error.destroyed) {
    return "Finished runs are kept; run again.";
  }
  return adviceForAdapter(error);
}
