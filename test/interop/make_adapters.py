"""Saves adapters of AdapterHub with their heads, and whole models of transformers 4, and what they compute.

python make_adapters.py <folder>
"""

from __future__ import annotations

import sys
from pathlib import Path

import adapters
from adapters import AutoAdapterModel, BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from adapters.heads import ClassificationHead
from exchange import (
    BERT,
    DISTILBERT,
    LABELS,
    ROBERTA,
    Encoder,
    Writer,
    copy_tokenizer,
    trained,
    versions,
)
from transformers import PreTrainedModel

NAME = "emotion"

#: Adapters of models that transformers has too, with these models' heads.
ADAPTERS: dict[str, tuple[Encoder, BnConfig]] = {
    "adapters-seq-bn": (BERT, SeqBnConfig(reduction_factor=4)),
    "adapters-double-seq-bn": (BERT, DoubleSeqBnConfig(reduction_factor=4)),
    "adapters-par-bn": (BERT, ParBnConfig(reduction_factor=4)),
    "adapters-roberta-par-bn": (ROBERTA, ParBnConfig(reduction_factor=8, dropout=0.1)),
    "adapters-distilbert-double-seq-bn": (DISTILBERT, DoubleSeqBnConfig(reduction_factor=4)),
}

#: Heads of AutoAdapterModel.
HEADS: dict[str, tuple[Encoder, dict[str, object]]] = {
    "auto-head": (BERT, {}),  # its defaults: two layers with tanh over the first token's row
    "auto-head-over-pooler": (BERT, {"layers": 1, "use_pooler": True, "bias": False}),
    "auto-head-roberta": (ROBERTA, {}),
    "auto-head-relu": (BERT, {"activation_function": "relu"}),
    "auto-head-distilbert": (DISTILBERT, {}),
    "auto-head-distilbert-relu": (DISTILBERT, {"activation_function": "relu"}),
}


def make_adapter(writer: Writer, kind: str, encoder: Encoder, config: BnConfig) -> None:
    model = encoder.load()
    adapters.init(model)
    model.add_adapter(NAME, config=config)
    model.train_adapter(NAME)
    save(writer, kind, encoder, model)


def auto_model(encoder: Encoder) -> PreTrainedModel:
    model = AutoAdapterModel.from_pretrained(str(encoder.folder))
    model.name_or_path = model.config.name_or_path = f"golden-{encoder.name}"
    return model


def make_head(writer: Writer, kind: str, encoder: Encoder, settings: dict[str, object]) -> None:
    model = auto_model(encoder)
    model.add_adapter(NAME, config=SeqBnConfig(reduction_factor=4))
    settings = {"num_labels": len(LABELS), "id2label": dict(enumerate(LABELS))} | settings
    model.add_prediction_head(ClassificationHead(model, NAME, **settings))
    model.train_adapter(NAME)
    save(writer, kind, encoder, model)


def save(writer: Writer, kind: str, encoder: Encoder, model: PreTrainedModel) -> None:
    trained(encoder, model, kind)
    model.save_adapter(str(writer.saved(kind)), NAME, with_head=True, use_safetensors=True)
    writer.expect(kind, encoder, {".": lambda: model}, whole=False)


def make_several(writer: Writer) -> None:
    """Two adapters of one model, each saved in a folder of its name."""
    model = auto_model(BERT)
    names = ("mornings", "evenings")
    for name, config in zip(names, (SeqBnConfig(reduction_factor=8), DoubleSeqBnConfig(reduction_factor=4))):
        model.add_adapter(name, config=config)
        model.add_classification_head(name, num_labels=len(LABELS), id2label=dict(enumerate(LABELS)))

    def use(name: str) -> PreTrainedModel:
        model.set_active_adapters(name)
        model.active_head = name
        return model

    for name in names:
        model.train_adapter(name)
        trained(BERT, use(name), name)
    model.save_all_adapters(str(writer.saved("adapters-several")), use_safetensors=True)
    writer.expect("adapters-several", BERT, {name: lambda name=name: use(name) for name in names}, whole=False)


def make_full(writer: Writer, encoder: Encoder) -> None:
    kind = f"full-{encoder.name}-transformers-4"
    model = encoder.load()
    trained(encoder, model, kind)
    saved = writer.saved(kind)
    model.save_pretrained(saved)
    copy_tokenizer(encoder, saved)
    writer.expect(kind, encoder, {".": lambda: model}, whole=True)


def main(folder: str) -> None:
    writer = Writer(Path(folder), versions("adapters", "transformers"))
    for kind, row in ADAPTERS.items():
        make_adapter(writer, kind, *row)
    for kind, row in HEADS.items():
        make_head(writer, kind, *row)
    make_several(writer)
    full = Writer(Path(folder), versions("transformers"))
    for encoder in (BERT, DISTILBERT):
        make_full(full, encoder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
