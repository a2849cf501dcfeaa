"""Loads a LoRA folder with peft, or a full or merged model with transformers, and prints its logits.

python check_peft.py <our run folder> --base <hf model folder> --inputs inputs.json    (--base for LoRA only)
"""

from __future__ import annotations

import warnings
from pathlib import Path

from logits import arguments, print_logits
from peft import PeftModel
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForSequenceClassification


def load_lora(run: Path, base: Path) -> nn.Module:
    with safe_open(run / "adapter_model.safetensors", "pt") as file:
        names = set(file.keys())
        labels = file.get_slice("base_model.model.classifier.weight").get_shape()[0]
    model = AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=labels, ignore_mismatched_sizes=True  # the folder brings its own head
    )
    warnings.filterwarnings("error", message="Found missing adapter keys")
    model = PeftModel.from_pretrained(model, run)
    # peft says nothing of surplus tensors: compare the names ourselves.
    wanted = {n.replace("modules_to_save.default.", "").replace(".default.", ".") for n, _ in model.named_parameters()
              if ".default." in n}  # fmt: skip
    assert names == wanted, f"tensors that differ from peft's: {sorted(names ^ wanted)}"
    return model


def load_full(run: Path) -> nn.Module:
    model, info = AutoModelForSequenceClassification.from_pretrained(run, output_loading_info=True)
    problems = {key: value for key, value in info.items() if value}
    assert not problems, problems
    return model


def main() -> None:
    options = arguments("Logits of an exported LoRA (peft) or full model (transformers)")
    is_lora = (options.run / "adapter_config.json").exists()
    print_logits(load_lora(options.run, options.base) if is_lora else load_full(options.run), options.inputs)


if __name__ == "__main__":
    main()
