"""The tiny encoders: their configurations, their folders, and what their tokenizers call a beginning and an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

GOLDENS = Path(__file__).parent
LABELS = ["sadness", "joy", "love", "anger", "fear"]
HIDDEN, VOCABULARY = 32, 64

CLASSES = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}


@dataclass(frozen=True)
class Encoder:
    """`name` stands before its runs; what its classifier calls the encoder is `kind`, as several may be a BERT."""

    name: str
    folder: Path
    model: type[PreTrainedModel]
    pad: int
    first: int
    last: int
    first_word: int  # ids from here on are words
    attention: dict[str, str]  # query, key, value and the second feed-forward layer, as the encoder names them
    head: tuple[str, ...]  # the modules of its head
    narrow: str  # the layer whose weights are small, so that gradient norms come near 1
    deviation: float = 0.05  # how small

    @property
    def kind(self) -> str:
        return self.model.base_model_prefix

    def config(self) -> PretrainedConfig:
        return CONFIGS[self.name]()

    def load(self) -> PreTrainedModel:
        model = self.model.from_pretrained(self.folder, attn_implementation="eager")
        # What peft and adapters write as the base's name, rather than this machine's path.
        model.name_or_path = model.config.name_or_path = f"golden-{self.name}"
        return model


def salt(name: str, key: str) -> str:
    """A key for random numbers; BERT's have no prefix, as it was here alone."""
    return key if name == "bert" else f"{name}:{key}"


BERT_NAMES = {"query": "query", "key": "key", "value": "value", "output": "output.dense"}

BERT = Encoder(
    "bert", GOLDENS / "model", BertForSequenceClassification,
    pad=0, first=2, last=3, first_word=5,
    attention=BERT_NAMES, head=("classifier",), narrow="pooler.dense",
)  # fmt: skip

ROBERTA = Encoder(
    "roberta", GOLDENS / "models" / "roberta", RobertaForSequenceClassification,
    pad=1, first=0, last=2, first_word=4,
    attention=BERT_NAMES, head=("classifier",), narrow="classifier.dense",
)  # fmt: skip

DISTILBERT = Encoder(
    "distilbert", GOLDENS / "models" / "distilbert", DistilBertForSequenceClassification,
    pad=0, first=2, last=3, first_word=5,
    attention={"query": "q_lin", "key": "k_lin", "value": "v_lin", "output": "lin2"},
    head=("pre_classifier", "classifier"), narrow="pre_classifier",
)  # fmt: skip

# A BERT with heads of 32: attention in subgroups, 8 lanes of 4 values, needs a multiple of that, and BERT's have 16.
WIDE = replace(BERT, name="wide", folder=GOLDENS / "models" / "wide", deviation=0.0125)

# A BERT with heads of 26, no multiple of 4, as TinyBERT-4L-312 and rubert-tiny2 have them.
ODD = replace(BERT, name="odd", folder=GOLDENS / "models" / "odd", deviation=0.0125)

ENCODERS = [BERT, ROBERTA, DISTILBERT, WIDE, ODD]


def bert_config(hidden: int = HIDDEN) -> BertConfig:
    return BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=32,
        type_vocab_size=2,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        initializer_range=0.02,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **CLASSES,
    )


def roberta_config() -> RobertaConfig:
    return RobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=34,  # positions begin at pad + 1 = 2: room for 32 tokens
        type_vocab_size=1,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        initializer_range=0.02,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        **CLASSES,
    )


def distilbert_config() -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=VOCABULARY,
        dim=HIDDEN,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        max_position_embeddings=32,
        sinusoidal_pos_embds=False,
        activation="gelu",
        initializer_range=0.02,
        dropout=0.0,
        attention_dropout=0.0,
        seq_classif_dropout=0.0,
        pad_token_id=0,
        **CLASSES,
    )


CONFIGS = {
    "bert": bert_config,
    "roberta": roberta_config,
    "distilbert": distilbert_config,
    "wide": lambda: bert_config(hidden=2 * HIDDEN),
    "odd": lambda: bert_config(hidden=2 * 26),
}
