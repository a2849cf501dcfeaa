"""Saves runs of PEFT, and whole models of transformers, and what they compute.

python make_hf.py <folder>
"""

from __future__ import annotations

import sys
from pathlib import Path

from exchange import (
    BERT,
    DISTILBERT,
    ROBERTA,
    Encoder,
    Writer,
    copy_tokenizer,
    trained,
    versions,
)
from peft import IA3Config, LoraConfig, PeftConfig, get_peft_model
from torch import nn


def lora(**settings: object) -> LoraConfig:
    return LoraConfig(task_type="SEQ_CLS", **({"r": 4, "lora_alpha": 6, "target_modules": ["query", "value"]} | settings))


def ia3(targets: object, feedforward: object) -> IA3Config:
    return IA3Config(task_type="SEQ_CLS", target_modules=targets, feedforward_modules=feedforward)


RUNS: dict[str, tuple[Encoder, PeftConfig]] = {
    "peft-lora": (BERT, lora()),
    "peft-rslora": (BERT, lora(use_rslora=True)),
    "peft-dora": (BERT, lora(use_dora=True)),
    "peft-ia3": (BERT, ia3(["key", "value", "output.dense"], ["output.dense"])),
    "peft-bias-all": (BERT, lora(bias="all")),
    "peft-bias-lora-only": (BERT, lora(bias="lora_only")),
    "peft-pooler-saved": (BERT, lora(modules_to_save=["pooler", "classifier"])),
    "peft-patterns": (BERT, lora(
        rank_pattern={r"layer\.1\..*": 3, "value": 2}, alpha_pattern={r"1\.attention\.self\.(query|key)": 5},
    )),
    "peft-all-linear": (BERT, lora(target_modules="all-linear")),
    "peft-regex": (BERT, lora(target_modules=r".*\.layer\.1\..*(query|key)|.*layer\.\d\.output\.dense")),
    "peft-layers": (BERT, lora(layers_to_transform=[1])),
    "peft-excluded": (BERT, lora(target_modules=["query", "dense"], exclude_modules=r".*layer\.0.*|.*pooler.*")),
    "peft-eva": (BERT, lora(init_lora_weights="eva", rank_pattern={"query": 6})),
    "peft-ia3-regex": (BERT, ia3(r".*layer\.1\..*\.(key|dense)|.*query", r".*intermediate\.dense")),
    "peft-roberta-dora": (ROBERTA, lora(use_dora=True, use_rslora=True, bias="lora_only")),
    "peft-roberta-ia3": (ROBERTA, ia3(["key", "value", "output.dense"], ["output.dense"])),
    "peft-roberta-all-linear": (ROBERTA, lora(target_modules="all-linear")),
    # No modules_to_save: PEFT takes "classifier" for the end of "pre_classifier", and saves both.
    "peft-distilbert-lora": (DISTILBERT, lora(target_modules=["q_lin", "v_lin", "lin2"])),
    "peft-distilbert-ia3": (DISTILBERT, ia3(["k_lin", "v_lin", "lin2"], ["lin2"])),
}  # fmt: skip


def make_run(writer: Writer, kind: str, encoder: Encoder, config: PeftConfig) -> None:
    model = get_peft_model(encoder.load(), config)
    trained(encoder, model, kind)
    model.save_pretrained(writer.saved(kind), save_embedding_layers=False)
    writer.expect(kind, encoder, {".": lambda: model}, whole=False)


def make_several(writer: Writer) -> None:
    """Two adapters of one model, each saved in a folder of its name."""
    model = get_peft_model(BERT.load(), lora(), adapter_name="mornings")
    model.add_adapter("evenings", lora(r=2, use_dora=True, target_modules=["key"]))

    def use(name: str) -> nn.Module:
        model.set_adapter(name)
        return model

    for name in ("mornings", "evenings"):
        trained(BERT, use(name), name)
    model.save_pretrained(writer.saved("peft-several"), save_embedding_layers=False)
    models = {name: lambda name=name: use(name) for name in ("mornings", "evenings")}
    writer.expect("peft-several", BERT, models, whole=False)


def make_merged(writer: Writer) -> None:
    model = get_peft_model(BERT.load(), lora(use_dora=True, target_modules="all-linear"))
    trained(BERT, model, "merged")
    whole = model.double().merge_and_unload().float()
    saved = writer.saved("merged-by-peft")
    whole.save_pretrained(saved)
    copy_tokenizer(BERT, saved)
    writer.expect("merged-by-peft", BERT, {".": lambda: whole}, whole=True)


def make_full(writer: Writer, encoder: Encoder) -> None:
    kind = f"full-{encoder.name}-transformers-5"
    model = encoder.load()
    trained(encoder, model, kind)
    saved = writer.saved(kind)
    model.save_pretrained(saved)
    copy_tokenizer(encoder, saved)
    writer.expect(kind, encoder, {".": lambda: model}, whole=True)


def main(folder: str) -> None:
    peft = Writer(Path(folder), versions("peft", "transformers"))
    for kind, (encoder, config) in RUNS.items():
        make_run(peft, kind, encoder, config)
    make_several(peft)
    make_merged(peft)
    full = Writer(Path(folder), versions("transformers"))
    for encoder in (BERT, ROBERTA):
        make_full(full, encoder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
