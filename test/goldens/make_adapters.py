"""Makes the goldens of the adapter placements (AdapterHub's adapters); make_hf.py must have made the base models.

python make_adapters.py [RUN…]    (all runs without)
"""

from __future__ import annotations

import shutil
import sys

import adapters
from adapters import BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from common import make_golden, randomise
from encoders import BERT, DISTILBERT, GOLDENS, HIDDEN, ROBERTA, Encoder
from torch import Tensor, nn
from transformers import PreTrainedModel

NAME = "emotion"
SIZE = 8
# The library takes int(hidden // factor); the half keeps rounding from making that one less than SIZE.
REDUCTION = HIDDEN / (SIZE + 0.5)

PFEIFFER = SeqBnConfig(reduction_factor=REDUCTION)
PLACEMENTS: dict[str, tuple[Encoder, BnConfig]] = {
    prefix + placement: (encoder, config)
    for encoder, prefix in [(BERT, "adapter-"), (ROBERTA, "roberta-adapter-"), (DISTILBERT, "distilbert-adapter-")]
    for placement, config in [
        ("pfeiffer", PFEIFFER),
        ("houlsby", DoubleSeqBnConfig(reduction_factor=REDUCTION)),
        ("parallel", ParBnConfig(reduction_factor=REDUCTION, scaling=4.0)),
    ]
}


def with_adapter(run: str, encoder: Encoder, config: BnConfig) -> PreTrainedModel:
    """The base with a random adapter in every layer and a random head; these two train, BERT's pooler does not."""
    model = encoder.load()
    adapters.init(model)
    model.add_adapter(NAME, config=config)
    model.train_adapter(NAME)
    randomise(encoder, {name: p for name, p in model.named_parameters() if p.requires_grad}, run)
    return model


def save(run: str, model: PreTrainedModel) -> None:
    folder = GOLDENS / run / "adapterhub"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    model.save_adapter(str(folder), NAME, with_head=True, use_safetensors=True)


def check_trainable(encoder: Encoder, model: nn.Module) -> None:
    head = tuple(f"{module}." for module in encoder.head)
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    assert all(f".adapters.{NAME}." in name or name.startswith(head) for name in names), names


def make_shared() -> None:
    """Pfeiffer's formula in every layer with one bottleneck: layer 0's module stands in every layer."""
    model = with_adapter("adapter-shared", BERT, PFEIFFER)
    outputs = [layer.output for layer in model.bert.encoder.layer]
    for output in outputs[1:]:
        output.adapters[NAME].load_state_dict(outputs[0].adapters[NAME].state_dict())
    save("adapter-shared", model)  # before tying: safetensors refuses tensors that share memory
    for output in outputs[1:]:
        output.adapters[NAME] = outputs[0].adapters[NAME]
    check_trainable(BERT, model)
    make_golden("adapter-shared", BERT, model)


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
    model = BERT.load()
    model.bert.requires_grad_(False)
    model.bert.pooler.adapters = nn.ModuleDict({NAME: PooledBottleneck()})
    model.bert.pooler.register_forward_hook(lambda pooler, _, pooled: pooler.adapters[NAME](pooled))
    randomise(BERT, {name: p for name, p in model.named_parameters() if p.requires_grad}, "adapter-output")
    check_trainable(BERT, model)
    make_golden("adapter-output", BERT, model)


def make_placement(run: str, encoder: Encoder, config: BnConfig) -> None:
    model = with_adapter(run, encoder, config)
    check_trainable(encoder, model)
    save(run, model)
    make_golden(run, encoder, model)


def main(wanted: list[str]) -> None:
    makers = {run: lambda run=run, row=row: make_placement(run, *row) for run, row in PLACEMENTS.items()}
    makers |= {"adapter-shared": make_shared, "adapter-output": make_output}
    for run in wanted or makers:
        makers[run]()


if __name__ == "__main__":
    main(sys.argv[1:])
