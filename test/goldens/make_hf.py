"""Makes the base models, the batches, and the goldens of full fine-tuning and PEFT's methods (transformers and peft).

python make_hf.py [bert | roberta | distilbert | wide | odd | RUN…]    (an encoder's name: its base and batches; all without)
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from common import Batch, batches, make_golden, padded, randomise, write_json
from encoders import BERT, DISTILBERT, ENCODERS, GOLDENS, ODD, ROBERTA, WIDE, Encoder, salt
from peft import IA3Config, LoraConfig, PeftConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora.dora import DoraLinearLayer
from torch import Tensor, nn
from transformers import PreTrainedModel

WRAPPED_BIAS = re.compile(r"\.(original_module|modules_to_save)\.(.*\.)?bias$")

FULL = {
    "full": BERT, "roberta-full": ROBERTA, "distilbert-full": DISTILBERT, "wide-full": WIDE, "odd-full": ODD,
}  # fmt: skip


def lora(encoder: Encoder = BERT, **settings: object) -> tuple[Encoder, PeftConfig]:
    defaults = {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": [encoder.attention["query"], encoder.attention["value"]],
        "modules_to_save": [*encoder.head],  # peft adds to the list that it is given
    }
    return encoder, LoraConfig(task_type="SEQ_CLS", lora_dropout=0.0, **(defaults | settings))


def ia3(encoder: Encoder) -> tuple[Encoder, PeftConfig]:
    """Keys, values and the second feed-forward layer, PEFT's own choice for BERT and RoBERTa (it has none for
    DistilBERT). Their "output.dense" also takes in attention.output.dense, as a feed-forward layer."""
    names = encoder.attention
    return encoder, IA3Config(
        task_type="SEQ_CLS",
        target_modules=[names["key"], names["value"], names["output"]],
        feedforward_modules=[names["output"]],
        modules_to_save=[*encoder.head],
    )


PEFT: dict[str, tuple[Encoder, PeftConfig]] = {
    "lora": lora(),
    # By their longer names, since a bare "dense" would take in the pooler's as well.
    "lora-rslora-all": lora(
        r=3, lora_alpha=6, use_rslora=True,
        target_modules=["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
    ),
    "lora-bias": lora(bias="lora_only"),
    "lora-bias-all": lora(bias="all"),
    "lora-layers": lora(layers_to_transform=[1]),
    "lora-pattern": lora(rank_pattern={"value": 2}, alpha_pattern={"value": 6}),
    # A pattern is a regular expression for the end of a module's name; the first that fits counts. PEFT sorts the keys
    # of what it writes, so they stand in that order here too.
    "lora-pattern-regex": lora(
        rank_pattern={r"layer\.1\..*": 3, "value": 2}, alpha_pattern={r"1\.attention\.self\.(query|key)": 5},
    ),
    "lora-pooler": lora(modules_to_save=["pooler", "classifier"]),
    "dora": lora(use_dora=True),
    "ia3": ia3(BERT),
    "roberta-lora": lora(ROBERTA),
    "roberta-ia3": ia3(ROBERTA),
    "distilbert-lora": lora(DISTILBERT),
    "distilbert-ia3": ia3(DISTILBERT),
    "wide-lora": lora(WIDE, r=8, lora_alpha=16),
    "odd-lora": lora(ODD, r=4, lora_alpha=8),
}  # fmt: skip


def activations(encoder: Encoder, batch: Batch) -> dict[str, Tensor]:
    """Hidden states of a batch, padding left out: `hidden.0` is the embeddings' output; `pooled`, where there is a
    pooler, is after tanh."""
    inputs = padded(encoder, batch)
    kept = inputs["attention_mask"].bool()
    body = getattr(encoder.load().double(), encoder.kind)
    with torch.no_grad():
        output = body(inputs["input_ids"], inputs["attention_mask"], output_hidden_states=True)
    hidden = {f"hidden.{i}": h[kept] for i, h in enumerate(output.hidden_states)}
    pooled = getattr(output, "pooler_output", None)
    return hidden if pooled is None else hidden | {"pooled": pooled}


def exported_name(name: str) -> str:
    """A parameter's name in adapter_model.safetensors: peft leaves its adapter's name, "default", out, and of DoRA's
    magnitude what follows as well."""
    name = name.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
    return name.replace("modules_to_save.default.", "").replace(".default.", ".").removesuffix(".default")


@contextmanager
def norms_held(model: nn.Module, batch: dict[str, Tensor]) -> Iterator[None]:
    """Keeps DoRA's norms of W + sBA as they are: PEFT detaches them, so that gradients take them for constants."""
    layers = [module for module in model.modules() if isinstance(module, DoraLinearLayer)]

    def hold(layer: DoraLinearLayer) -> None:
        measure, held = layer.get_weight_norm, []

        def norm(*args: object, **kwargs: object) -> Tensor:
            if not held:
                held.append(measure(*args, **kwargs).detach())
            return held[0]

        layer.get_weight_norm = norm

    for layer in layers:
        hold(layer)
    model(**batch)  # fills them
    yield
    for layer in layers:
        del layer.get_weight_norm


def make_base(encoder: Encoder) -> None:
    base: PreTrainedModel = encoder.model(encoder.config())
    randomise(encoder, dict(base.named_parameters()), salt(encoder.name, "base"))
    base.save_pretrained(encoder.folder)
    folder = GOLDENS if encoder is BERT else encoder.folder
    write_json(folder / "batches.json", {"batches": batches(encoder)})


def make_full(run: str, encoder: Encoder) -> None:
    make_golden(run, encoder, encoder.load(), extra=activations(encoder, batches(encoder)[0]))


def make_peft(run: str, encoder: Encoder, config: PeftConfig) -> None:
    model: PeftModel = get_peft_model(encoder.load(), config)
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    # B too: with B = 0 the gradient of A is zero and proves nothing; and a head of its own.
    randomise(encoder, parameters, run)
    # With bias "all", peft writes the head's bias twice more, from inside its wrapper.
    saved = {name for name in get_peft_model_state_dict(model) if not WRAPPED_BIAS.search(name)}
    assert {exported_name(name) for name in parameters} == saved, saved ^ {exported_name(name) for name in parameters}
    assert run == "lora-pooler" or not any("pooler" in name and "weight" in name for name in parameters)

    folder = GOLDENS / run / "peft"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()  # an empty model card
    make_golden(run, encoder, model, exported_name, constants=norms_held)


def main(wanted: list[str]) -> None:
    makers = {encoder.name: lambda encoder=encoder: make_base(encoder) for encoder in ENCODERS}
    makers |= {run: lambda run=run, encoder=encoder: make_full(run, encoder) for run, encoder in FULL.items()}
    makers |= {run: lambda run=run, row=row: make_peft(run, *row) for run, row in PEFT.items()}
    for name in wanted or makers:
        makers[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
