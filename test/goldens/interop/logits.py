"""What check_peft.py and check_adapters.py share: their command line, and the logits that they print."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import nn


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", type=Path, help="the folder that our engine exported")
    parser.add_argument("--base", type=Path, help="HF model folder that the adapter belongs to")
    parser.add_argument("--inputs", type=Path, required=True, help='JSON: {"sentences": [[token ids], …]}')
    return parser.parse_args()


def print_logits(model: nn.Module, inputs: Path) -> None:
    """Prints {"logits", "id2label"}: one row a sentence, each run alone in float64."""
    model = model.double().eval()
    with torch.no_grad():
        rows = [model(input_ids=torch.tensor([ids])).logits[0] for ids in json.loads(inputs.read_text())["sentences"]]
    print(json.dumps({"logits": [row.tolist() for row in rows], "id2label": model.config.id2label}))
