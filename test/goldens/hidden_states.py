"""Writes HF's last hidden states of real sentences by a real model, to compare an engine with.

python hidden_states.py <model folder> <sentences.txt, one a line> <out.safetensors>

For line i: `ids.i` [tokens] int32, `hidden.i` [tokens, hidden] float32 (computed in float64), one sentence at a time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer


def main(folder: str, sentences: str, out: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).double().eval()
    tensors: dict[str, torch.Tensor] = {}
    for i, line in enumerate(Path(sentences).read_text().splitlines()):
        ids = torch.tensor([tokenizer(line, truncation=True, max_length=512, padding=False)["input_ids"]])
        with torch.no_grad():
            hidden = model(input_ids=ids).last_hidden_state[0]
        tensors |= {f"ids.{i}": ids[0].int(), f"hidden.{i}": hidden.float()}
    save_file(tensors, out, {"format": "pt"})


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
