"""Loads a folder of LoRA, DoRA or IA3 with peft, or a full or merged model with transformers, and prints its logits.

python check_peft.py <our run folder> --base <hf model folder> --inputs inputs.json    (--base for peft only)
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from logits import arguments, classes, load_base, print_logits
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForSequenceClassification

WRAPPED_BIAS = re.compile(r"\.(original_module|modules_to_save)\.(.*\.)?bias$")


def load_peft(run: Path, base: Path) -> nn.Module:
    weights = run / "adapter_model.safetensors"
    warnings.filterwarnings("error", message="Found missing adapter keys")
    model = PeftModel.from_pretrained(load_base(base, classes(weights)), run)
    # peft says nothing of surplus tensors: compare the names with those that it would write itself.
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    with safe_open(weights, "pt") as file:
        differing = wanted ^ set(file.keys())
    # With bias "all", peft writes the head's biases twice more, from inside its wrappers; none needs them.
    differing = {name for name in differing if not WRAPPED_BIAS.search(name)}
    assert not differing, f"tensors that differ from peft's: {sorted(differing)}"
    return model


def load_full(run: Path) -> nn.Module:
    model, info = AutoModelForSequenceClassification.from_pretrained(run, output_loading_info=True)
    problems = {key: value for key, value in info.items() if value}
    assert not problems, problems
    return model


def main() -> None:
    options = arguments("Logits of an exported LoRA, DoRA or IA3 (peft), or full model (transformers)")
    is_peft = (options.run / "adapter_config.json").exists()
    print_logits(load_peft(options.run, options.base) if is_peft else load_full(options.run), options.inputs)


if __name__ == "__main__":
    main()
