"""Folders that name added and special tokens in every way there is, and the ids that transformers 5 gives, into
added_tokens.json. transformers 4.57's fast tokenizers gives the same; run it with either."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers import AutoTokenizer

GOLDENS = Path(__file__).parent
BASE = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<", "user", ">", "a", "b", "c", "##a", "##b", "##c", "hello", "A", "é",
        "e", "中", "<s>", "</s>", "<unk>", "<pad>", "<mask>", "x", "-", "##x"]  # fmt: skip
FIRST = len(BASE)


def decoder(*tokens: dict) -> dict:
    return {"added_tokens_decoder": {str(FIRST + at): token for at, token in enumerate(tokens)}}


def token(content: str, **flags: bool) -> dict:
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "special": False} | flags


TEXTS = ["a <user> b", "A <USER>b<user>x", "hello HELLO\u3000<User>  \u00a0 b", "ab abc éab ÉAB a-ab _ab ab1 abe\u0301", "<s> q </s>[SEP]"]
FOLDERS: list[dict[str, dict]] = [
    {},
    {"added_tokens.json": {"<user>": FIRST, "ab": FIRST + 1}},
    {"added_tokens.json": {"ab": FIRST + 9, "<user>": FIRST + 4}},  # ids with gaps: they count on all the same
    {"added_tokens.json": {"hello": 40, "<User>": FIRST}},  # one is in the vocabulary and keeps its id
    {"tokenizer_config.json": {"additional_special_tokens": ["<user>", "hello"]}},
    {"tokenizer_config.json": {"extra_special_tokens": {"user": "<user>"}}},
    {"tokenizer_config.json": decoder(token("<user>", lstrip=True, normalized=False), token("ab", normalized=True))},
    {"tokenizer_config.json": decoder(token("<user>", rstrip=True, normalized=False), token("ab", single_word=True, normalized=False))},
    {"tokenizer_config.json": decoder(token("<User>", rstrip=True, lstrip=True, normalized=True), token("ab", single_word=True, normalized=True))},
    {"tokenizer_config.json": decoder(token("<User>", special=True, normalized=False), token("É", normalized=True))},
    {"tokenizer_config.json": decoder(token("abc"), token("ab"), token("<us", special=True))},  # the longest counts
    {"tokenizer_config.json": decoder(token("a", normalized=False), token("<user>", special=True, single_word=True, lstrip=True))},
    {"tokenizer_config.json": {"do_lower_case": False} | decoder(token("<user>", normalized=True), token("É"))},
    {"tokenizer_config.json": decoder(token("<user>")), "added_tokens.json": {"hello a": FIRST}},  # the latter is not read
    {"special_tokens_map.json": {"cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"},
     "tokenizer_config.json": {}},
    {"special_tokens_map.json": {"cls_token": "<s>"}, "tokenizer_config.json": {"cls_token": "[CLS]"}},
    {"special_tokens_map.json": {"cls_token": "<s>"}, "tokenizer_config.json": {"cls_token": "[CLS]"} | decoder(token("<user>"))},
    {"tokenizer_config.json": {"cls_token": {"__type": "AddedToken"} | token("<s>"), "sep_token": {"__type": "AddedToken"} | token("</s>")}},
    {"tokenizer_config.json": {"never_split": ["a-ab", "HELLO"], "do_basic_tokenize": False}},
    {"tokenizer_config.json": {"tokenize_chinese_chars": False, "strip_accents": False}},
]  # fmt: skip


def main() -> None:
    rows = []
    for files in FOLDERS:
        with TemporaryDirectory() as folder:
            config = {"architectures": ["BertForMaskedLM"], "model_type": "bert", "vocab_size": 60}
            for name, content in {**files, "config.json": config}.items():
                (Path(folder) / name).write_text(json.dumps(content))
            (Path(folder) / "vocab.txt").write_text("\n".join(BASE) + "\n")
            tokenizer = AutoTokenizer.from_pretrained(folder)
            rows.append({"files": files, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    head = json.dumps({"vocabulary": BASE, "texts": TEXTS}, ensure_ascii=False, separators=(",", ":"))
    (GOLDENS / "added_tokens.json").write_text(f'{head[:-1]},"folders":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
