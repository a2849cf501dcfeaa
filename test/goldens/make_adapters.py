"""Makes the goldens of the adapter placements (AdapterHub's adapters); make_hf.py must have made the base model."""

from __future__ import annotations

import shutil

import adapters
import torch
from adapters import BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from common import BASE, GOLDENS, make_golden, randomise
from torch import Tensor, nn
from transformers import BertForSequenceClassification

NAME = "emotion"
HIDDEN, SIZE = 32, 8
# The library takes int(hidden // factor); the half keeps rounding from making that one less than SIZE.
REDUCTION = HIDDEN / (SIZE + 0.5)

PLACEMENTS: dict[str, BnConfig] = {
    "adapter-pfeiffer": SeqBnConfig(reduction_factor=REDUCTION),
    "adapter-houlsby": DoubleSeqBnConfig(reduction_factor=REDUCTION),
    "adapter-parallel": ParBnConfig(reduction_factor=REDUCTION, scaling=4.0),
}


def load_base() -> BertForSequenceClassification:
    model = BertForSequenceClassification.from_pretrained(BASE, attn_implementation="eager")
    model.config.name_or_path = "golden-bert"  # what the library writes as model_name, rather than this machine's path
    return model


def with_adapter(run: str, config: BnConfig) -> BertForSequenceClassification:
    """The base with a random adapter in every layer and a random head; these two train, the pooler does not."""
    model = load_base()
    adapters.init(model)
    model.add_adapter(NAME, config=config)
    model.train_adapter(NAME)
    randomise({name: p for name, p in model.named_parameters() if p.requires_grad}, run)
    return model


def save(run: str, model: BertForSequenceClassification) -> None:
    folder = GOLDENS / run / "adapterhub"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    model.save_adapter(str(folder), NAME, with_head=True, use_safetensors=True)


def check_trainable(model: nn.Module) -> None:
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    assert all(f".adapters.{NAME}." in name or name.startswith("classifier.") for name in names), names


def make_shared() -> None:
    """Pfeiffer's formula in every layer with one bottleneck: layer 0's module stands in every layer."""
    model = with_adapter("adapter-shared", PLACEMENTS["adapter-pfeiffer"])
    outputs = [layer.output for layer in model.bert.encoder.layer]
    for output in outputs[1:]:
        output.adapters[NAME].load_state_dict(outputs[0].adapters[NAME].state_dict())
    save("adapter-shared", model)  # before tying: safetensors refuses tensors that share memory
    for output in outputs[1:]:
        output.adapters[NAME] = outputs[0].adapters[NAME]
    check_trainable(model)
    make_golden("adapter-shared", model)


class PooledBottleneck(nn.Module):
    """p + up(relu(down(p))), with the tensor names that AdapterHub gives a bottleneck."""

    def __init__(self) -> None:
        super().__init__()
        self.adapter_down = nn.Sequential(nn.Linear(HIDDEN, SIZE), nn.ReLU())
        self.adapter_up = nn.Linear(SIZE, HIDDEN)

    def forward(self, pooled: Tensor) -> Tensor:
        return pooled + self.adapter_up(self.adapter_down(pooled))


def make_output() -> None:
    """Our own placement: one bottleneck on the pooled vector, after tanh and before the classifier's dropout."""
    model = load_base()
    model.bert.requires_grad_(False)
    model.bert.pooler.adapters = nn.ModuleDict({NAME: PooledBottleneck()})
    model.bert.pooler.register_forward_hook(lambda pooler, _, pooled: pooler.adapters[NAME](pooled))
    randomise({name: p for name, p in model.named_parameters() if p.requires_grad}, "adapter-output")
    check_trainable(model)
    make_golden("adapter-output", model)


def main() -> None:
    for run, config in PLACEMENTS.items():
        model = with_adapter(run, config)
        check_trainable(model)
        save(run, model)
        make_golden(run, model)
    make_shared()
    make_output()


if __name__ == "__main__":
    main()
