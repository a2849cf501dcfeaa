"""What the scripts of both environments share: the golden bases, random weights, logits, and what is written of them.

A folder of runs holds, for each kind, `saved/` (a run, or several runs in folders) and `expected.json`:

    made_with  the libraries and their versions
    base       the base's folder under test/goldens/, null for a whole model
    sentences  token ids
    logits     by the run's folder within saved/ ("." for saved/ itself): a row a sentence
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
sys.path.insert(0, str(GOLDENS))

from common import batches, randomise  # noqa: E402
from encoders import BERT, DISTILBERT, LABELS, ROBERTA, Encoder  # noqa: E402, F401

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


def versions(*packages: str) -> str:
    return ", ".join(f"{package} {version(package)}" for package in packages)


def trained(encoder: Encoder, model: nn.Module, key: str) -> None:
    """Gives everything that trains random values of its own, as training would."""
    randomise(encoder, {name: p for name, p in model.named_parameters() if p.requires_grad}, key)


def logits(model: nn.Module, sentences: list[list[int]]) -> list[list[float]]:
    """A row a sentence, each run alone in float64."""
    model = model.double().eval()
    with torch.no_grad():
        return [model(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in sentences]


class Writer:
    """Writes kinds below a folder."""

    def __init__(self, folder: Path, made_with: str) -> None:
        self.folder, self.made_with = folder, made_with

    def saved(self, kind: str) -> Path:
        """The folder to save to, new."""
        shutil.rmtree(self.folder / kind, ignore_errors=True)
        saved = self.folder / kind / "saved"
        saved.mkdir(parents=True)
        return saved

    def expect(self, kind: str, encoder: Encoder, models: dict[str, Callable[[], nn.Module]], whole: bool) -> None:
        """Writes what the models compute, by their folders within `saved`."""
        sentences = batches(encoder)[0]["sentences"]
        for card in (self.folder / kind).rglob("README.md"):
            card.unlink()  # an empty model card
        expected = {
            "made_with": self.made_with,
            "base": None if whole else str(encoder.folder.relative_to(GOLDENS)),
            "sentences": sentences,
            "logits": {name: logits(model(), sentences) for name, model in models.items()},
        }
        (self.folder / kind / "expected.json").write_text(json.dumps(expected) + "\n")
        print(f"{kind} made with {self.made_with}")


def copy_tokenizer(encoder: Encoder, saved: Path) -> None:
    for name in TOKENIZER:
        if (encoder.folder / name).exists():
            shutil.copy(encoder.folder / name, saved)


def load_full(saved: Path) -> nn.Module:
    model, info = AutoModelForSequenceClassification.from_pretrained(saved, output_loading_info=True)
    problems = {key: value for key, value in info.items() if value}
    assert not problems, problems
    assert list(model.config.id2label.values()) == LABELS, model.config.id2label
    return model


def beside(saved: Path) -> list[Path]:
    """The adapters that lie in one folder: this one, which comes first, and the others."""
    others = [path.parent for path in saved.parent.glob("*/adapter_config.json") if path.parent != saved]
    return [saved, *sorted(others)]


def check(folder: Path, rows: Path, library: str, load: Callable[[Path, Path | None], dict[str, nn.Module]]) -> None:
    """Loads what our side wrote, compares the logits, and writes the table's rows; `load` gives models by what to call
    their row, or none where the kind is another environment's."""
    table = []
    for path in sorted(folder.glob("*/expected.json")):
        expected = json.loads(path.read_text())
        base = None if expected["base"] is None else GOLDENS / expected["base"]
        worst: dict[str, float | str] = {}
        for name, wanted in expected["logits"].items():
            try:
                models = load(path.parent / "saved" / name, base)
                for note, model in models.items():
                    got = torch.tensor(logits(model, expected["sentences"]))
                    error = (got - torch.tensor(wanted)).abs().max().item()
                    assert got.shape == torch.tensor(wanted).shape
                    before = worst.get(note, 0.0)
                    worst[note] = before if isinstance(before, str) else max(before, error)
            except Exception as error:  # noqa: BLE001: a row of the table, whatever it is
                worst[""] = f"{type(error).__name__}: {error}"
        for note, error in worst.items():
            direction = f"here to {versions('transformers') if base is None else library}"
            table.append({"kind": path.parent.name + note, "direction": direction, "difference": error})
    rows.write_text(json.dumps(table))

