"""Makes the base model, the batches, and the goldens of full fine-tuning and LoRA (transformers and peft)."""

from __future__ import annotations

import shutil

import torch
from common import BASE, GOLDENS, LABELS, VOCABULARY, Batch, batches, make_golden, padded, randomise, write_json
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from torch import Tensor
from transformers import BertConfig, BertForSequenceClassification

CONFIG = BertConfig(
    vocab_size=VOCABULARY,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=32,
    type_vocab_size=2,
    hidden_act="gelu",
    layer_norm_eps=1e-12,
    initializer_range=0.02,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    id2label=dict(enumerate(LABELS)),
    label2id={label: i for i, label in enumerate(LABELS)},
)

LORA = {
    "lora": LoraConfig(
        task_type="SEQ_CLS", r=4, lora_alpha=8, lora_dropout=0.0,
        target_modules=["query", "value"], modules_to_save=["classifier"],
    ),
    # By their longer names, since a bare "dense" would take in the pooler's as well.
    "lora-rslora-all": LoraConfig(
        task_type="SEQ_CLS", r=3, lora_alpha=6, lora_dropout=0.0, use_rslora=True,
        target_modules=["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
        modules_to_save=["classifier"],
    ),
}  # fmt: skip


def load_base() -> BertForSequenceClassification:
    model = BertForSequenceClassification.from_pretrained(BASE, attn_implementation="eager")
    model.name_or_path = "golden-bert"  # what peft writes as base_model_name_or_path, rather than this machine's path
    return model


def activations(model: BertForSequenceClassification, batch: Batch) -> dict[str, Tensor]:
    """Hidden states of a batch, padding left out: `hidden.0` is the embeddings' output; `pooled` is after tanh."""
    inputs = padded(batch)
    kept = inputs["attention_mask"].bool()
    with torch.no_grad():
        output = model.double().bert(inputs["input_ids"], inputs["attention_mask"], output_hidden_states=True)
    hidden = {f"hidden.{i}": h[kept] for i, h in enumerate(output.hidden_states)}
    return hidden | {"pooled": output.pooler_output}


def exported_name(name: str) -> str:
    """A parameter's name in adapter_model.safetensors: peft leaves its adapter's name, "default", out."""
    return name.replace("modules_to_save.default.", "").replace(".default.", ".")


def make_lora(run: str, config: LoraConfig) -> None:
    model: PeftModel = get_peft_model(load_base(), config)
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    randomise(parameters, run)  # B too: with B = 0 the gradient of A is zero and proves nothing; and a head of its own
    assert {exported_name(name) for name in parameters} == set(get_peft_model_state_dict(model))
    assert not any("pooler" in name for name in parameters)

    folder = GOLDENS / run / "peft"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()  # an empty model card
    make_golden(run, model, exported_name)


def main() -> None:
    write_json(GOLDENS / "batches.json", {"batches": batches()})
    base = BertForSequenceClassification(CONFIG)
    randomise(dict(base.named_parameters()), "base")
    base.save_pretrained(BASE)

    make_golden("full", load_base(), extra=activations(load_base(), batches()[0]))
    for run, config in LORA.items():
        make_lora(run, config)


if __name__ == "__main__":
    main()
