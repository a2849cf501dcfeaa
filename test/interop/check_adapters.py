"""Loads what was written here with AdapterHub's adapters and transformers 4, and compares what they compute.

python check_adapters.py <folder> <rows.json>
"""

from __future__ import annotations

import sys
from pathlib import Path

import adapters
from adapters import AutoAdapterModel
from exchange import LABELS, beside, check, load_full, versions
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel


def with_adapter(model: PreTrainedModel, saved: Path) -> PreTrainedModel:
    for folder in reversed(beside(saved)):  # the last that is loaded is active
        info: dict[str, list[str]] = {}
        model.load_adapter(
            str(folder), load_as=folder.name, with_head=True, use_safetensors=True, set_active=True, loading_info=info
        )
        problems = {key: value for key, value in info.items() if value}
        assert not problems, problems  # keys that are missing or unexpected
    return model


def load(saved: Path, base: Path | None) -> dict[str, nn.Module]:
    if base is None:
        return {"": load_full(saved)}
    if "peft_type" in (saved / "adapter_config.json").read_text():
        return {}
    models = {" in AutoAdapterModel": with_adapter(AutoAdapterModel.from_pretrained(str(base)), saved)}
    if "ForSequenceClassification" in (saved / "head_config.json").read_text():
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(LABELS))
        adapters.init(model)
        models[""] = with_adapter(model, saved)
    return models


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    check(Path(sys.argv[1]), Path(sys.argv[2]), versions("adapters", "transformers"), load)
