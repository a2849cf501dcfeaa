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

const smallerModel = "Take a smaller model with --model_name, or a GPU that allows more.";

/** What to do with a trained run where the GPU has no room. */
export function adviceForRoom({ use }: OutOfMemoryError | BindingTooLargeError): string {
  return use === "batch"
    ? "Lower --batch_size or --max_length."
    : "The model itself is too large: free memory that other programs hold, or take another GPU.";
}

/** What to do where there is no adapter that serves; undefined for any other error. */
export function adviceForAdapter(error: unknown): string | undefined {
  if (error instanceof NoAdapterError) {
    return `On Debian or Ubuntu: apt-get install mesa-vulkan-drivers. See README, "No GPU".`;
  }
  if (error instanceof AdapterTooSmallError) {
    return `An OpenGL adapter stands in where there is no Vulkan driver. See README, "No GPU".`;
  }
}

/** What to do in training where the GPU has no room: which flag helps depends on what the room is for. */
function adviceForMemory({ use, limit }: OutOfMemoryError): string {
  const over = limit !== undefined;
  if (use === "batch") {
    // Gradient checkpointing keeps fewer tensors, none of which is smaller for it.
    const fewer = over ? "" : " or --gradient_checkpointing";
    return `${smallerTensors}, or take --compute_dtype f16${fewer}.`;
  }
  // A tensor that is larger than a buffer may be is an embedding table: no type or method makes it smaller.
  if (over) return smallerModel;
  return use === "frozen"
    ? "Keep the model's weights smaller with --frozen_dtype bf16 or f16, or take a smaller --model_name."
    : "What trains takes four times its size, with gradients and AdamW's moments: take --method " +
      "lora, adapter or ia3 rather than full, a smaller --rank or --size, or a smaller --model_name.";
}

/** What to do about an error in training; undefined where the message says all. */
export function adviceForDevice(error: unknown): string | undefined {
  if (error instanceof OutOfMemoryError) return adviceForMemory(error);
  if (error instanceof BindingTooLargeError) {
    return error.use === "batch" ? `${smallerTensors}.` : smallerModel;
  }
  if (error instanceof DeviceLostError && !error.destroyed) {
    return "Finished runs are kept; run again.";
  }
  return adviceForAdapter(error);
}
