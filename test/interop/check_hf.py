"""Loads what was written here with PEFT and transformers, and compares what they compute.

python check_hf.py <folder> <rows.json>
"""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

from exchange import LABELS, beside, check, load_full, versions
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForSequenceClassification

WRAPPED_BIAS = re.compile(r"\.(original_module|modules_to_save)\.(.*\.)?bias$")


def load_peft(saved: Path, base: Path) -> nn.Module:
    warnings.filterwarnings("error", message="Found missing adapter keys")
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(LABELS))
    first, *others = beside(saved)
    model = PeftModel.from_pretrained(model, first, adapter_name=first.name)
    for other in others:
        model.load_adapter(other, adapter_name=other.name)
    model.set_adapter(first.name)
    # peft says nothing of surplus tensors: compare the names with those that it would write itself.
    wanted = set(get_peft_model_state_dict(model, adapter_name=first.name, save_embedding_layers=False))
    with safe_open(saved / "adapter_model.safetensors", "pt") as file:
        differing = wanted ^ set(file.keys())
    # With bias "all", peft writes the head's biases twice more, from inside its wrappers; none needs them.
    differing = {name for name in differing if not WRAPPED_BIAS.search(name)}
    assert not differing, f"tensors that differ from peft's: {sorted(differing)}"
    return model


def load(saved: Path, base: Path | None) -> dict[str, nn.Module]:
    if base is None:
        return {"": load_full(saved)}
    return {"": load_peft(saved, base)} if "peft_type" in (saved / "adapter_config.json").read_text() else {}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    check(Path(sys.argv[1]), Path(sys.argv[2]), versions("peft", "transformers"), load)
