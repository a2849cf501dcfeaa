"""What check_peft.py and check_adapters.py share: their command line, and the logits that they print."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", type=Path, help="the folder that our engine exported")
    parser.add_argument("--base", type=Path, help="HF model folder that the adapter belongs to")
    parser.add_argument("--inputs", type=Path, required=True, help='JSON: {"sentences": [[token ids], …]}')
    return parser.parse_args()


def load_base(base: Path, labels: int) -> PreTrainedModel:
    """The base with a new head: the adapter's folder brings its own."""
    return AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=labels, ignore_mismatched_sizes=True
    )


def classes(file: Path) -> int:
    """The number of classes of a saved head, whose last layer is RoBERTa's `classifier.out_proj` or `classifier`."""
    with safe_open(file, "pt") as tensors:
        last = [name for name in tensors.keys() if name.endswith(("classifier.out_proj.weight", ".classifier.weight"))
                or name == "classifier.weight"]  # fmt: skip
        assert len(last) == 1, f"{file}: no head, or several: {last}"
        return tensors.get_slice(last[0]).get_shape()[0]


def print_logits(model: nn.Module, inputs: Path) -> None:
    """Prints {"logits", "id2label"}: one row a sentence, each run alone in float64."""
    model = model.double().eval()
    with torch.no_grad():
        rows = [model(input_ids=torch.tensor([ids])).logits[0] for ids in json.loads(inputs.read_text())["sentences"]]
    print(json.dumps({"logits": [row.tolist() for row in rows], "id2label": model.config.id2label}))
