"""What both golden makers share: the random weights, the batches, and the six training steps that are recorded.

Everything is computed in float64 by torch, from values that float32 holds exactly, so that an engine in float32 starts
from the very same numbers and only its own rounding is left to compare.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypedDict

import torch
from encoders import GOLDENS, LABELS, VOCABULARY, Encoder, salt
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import Trainer, get_linear_schedule_with_warmup

LEARNING_RATE, WARMUP, STEPS, WEIGHT_DECAY, MAX_NORM = 1e-3, 2, 6, 0.01, 1.0

torch.set_num_threads(1)  # one order of summation, whatever the machine


class Batch(TypedDict):
    sentences: list[list[int]]
    labels: list[int]


def generator(key: str) -> torch.Generator:
    """A generator that depends on `key` alone, so that adding a tensor changes no other."""
    return torch.Generator().manual_seed(zlib.crc32(key.encode()))


def randomise(encoder: Encoder, parameters: dict[str, Tensor], key: str) -> None:
    """Fills parameters in place with random values that float32 holds exactly; no tensor stays at zero or one.

    Weights N(0, 0.2), so that attention is far from uniform; biases N(0, 0.1); weights of LayerNorms and other factors
    (IA3's vectors, DoRA's magnitudes) 1 + N(0, 0.2). The weights of the head's first layer (BERT's pooler) are
    N(0, 0.05), wide's N(0, 0.0125): that brings gradient norms near 1, so that some steps clip and others do not.
    """
    for name, parameter in parameters.items():
        mean, deviation = 0.0, 0.2
        if name.endswith("bias"):
            deviation = 0.1
        elif any(factor in name for factor in ("LayerNorm", "layer_norm", "ia3_l", "lora_magnitude_vector")):
            mean = 1.0
        elif encoder.narrow in name.replace("modules_to_save.default.", ""):
            deviation = encoder.deviation
        noise = torch.randn(parameter.shape, generator=generator(f"{key}:{name}"))
        parameter.data.copy_((mean + deviation * noise).float())


def batches(encoder: Encoder) -> list[Batch]:
    """Six batches of four ragged sentences. No sentence holds the padding: HF never trains its row (`padding_idx`)."""
    lengths = [[7, 1, 12, 4], [2, 9, 5, 11], [3, 8, 6, 10], [12, 2, 7, 3], [5, 4, 1, 9], [11, 6, 10, 8]]
    random = generator(salt(encoder.kind, "batches"))

    def sentence(length: int) -> list[int]:
        words = torch.randint(encoder.first_word, VOCABULARY, (max(length - 2, 0),), generator=random).tolist()
        # Length 1 is the first token alone: attention with nothing to choose from.
        return [encoder.first, *words, encoder.last][:length]

    def labels() -> list[int]:
        return torch.randint(0, len(LABELS), (4,), generator=random).tolist()

    return [{"sentences": [sentence(n) for n in row], "labels": labels()} for row in lengths]


def padded(encoder: Encoder, batch: Batch) -> dict[str, Tensor]:
    """A batch as HF wants it: padded to its longest sentence, with an attention mask."""
    longest = max(map(len, batch["sentences"]))
    rows = [s + [encoder.pad] * (longest - len(s)) for s in batch["sentences"]]
    mask = [[1] * len(s) + [0] * (longest - len(s)) for s in batch["sentences"]]
    return {
        "input_ids": torch.tensor(rows),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(batch["labels"]),
    }


def trainable(model: nn.Module, name_of: Callable[[str], str]) -> dict[str, nn.Parameter]:
    """Trainable parameters under their exported names; a shared parameter appears once, under its first name."""
    return {name_of(name): p for name, p in model.named_parameters() if p.requires_grad}


def optimiser(model: nn.Module) -> torch.optim.AdamW:
    """HF Trainer's AdamW: its own rule says which parameters decay (no bias, no LayerNorm)."""
    decaying = Trainer.get_decay_parameter_names(None, model)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if name in decaying], "weight_decay": WEIGHT_DECAY},
        {"params": [p for name, p in named if name not in decaying], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)


def make_golden(
    run: str,
    encoder: Encoder,
    model: nn.Module,
    name_of: Callable[[str], str] = lambda name: name,
    extra: dict[str, Tensor] | None = None,
    constants: Callable[[nn.Module, dict[str, Tensor]], AbstractContextManager] = lambda model, batch: nullcontext(),
) -> None:
    """Records `run`: logits, loss and gradients on batch 0, then six steps, into <run>/golden.{json,safetensors}.

    `constants` holds what the method's gradient takes for constant while gradients are checked by differences.
    """
    model = model.double().train()  # every dropout is 0; `train` is what the Trainer would do
    data = [padded(encoder, batch) for batch in batches(encoder)]
    parameters = trainable(model, name_of)
    tensors = {f"init.{name}": p.detach().clone() for name, p in parameters.items()} | (extra or {})

    first = model(**data[0])
    first.loss.backward()
    assert first.logits.dtype == torch.float64
    gradients = {name: p.grad.clone() for name, p in parameters.items()}
    tensors |= {f"gradient.{name}": g for name, g in gradients.items()}
    check_padding(encoder, model, first.logits.detach())
    with constants(model, data[0]):
        check_gradients(model, data[0], parameters, gradients)

    adamw = optimiser(model)
    schedule = get_linear_schedule_with_warmup(adamw, WARMUP, STEPS)
    steps: list[dict[str, float]] = []
    for batch in data:
        model.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM)
        rate = schedule.get_last_lr()[0]
        steps.append({"loss": loss.item(), "gradient_norm": norm.item(), "learning_rate": rate})
        adamw.step()
        schedule.step()
    tensors |= {f"final.{name}": p.detach() for name, p in parameters.items()}

    folder = GOLDENS / run
    folder.mkdir(exist_ok=True)
    save_file({k: v.float().contiguous() for k, v in tensors.items()}, folder / "golden.safetensors", {"format": "pt"})
    golden = {
        "run": run,
        "trainable": sum(p.numel() for p in parameters.values()),
        "logits": first.logits.tolist(),
        "loss": first.loss.item(),
        "steps": steps,
        "final_loss": model(**data[0]).loss.item(),
    }
    write_json(folder / "golden.json", golden)
    clipped = sum(step["gradient_norm"] > MAX_NORM for step in steps)
    assert clipped > 0, f"{run}: no step clips"
    norms = " ".join(f"{step['gradient_norm']:.3f}" for step in steps)
    print(f"{run:28} {len(parameters):3} tensors, {golden['trainable']:5} values, loss on batch 0 "
          f"{golden['loss']:.4f} -> {golden['final_loss']:.4f}, {clipped} of {STEPS} steps clip, norms {norms}")


def check_padding(encoder: Encoder, model: nn.Module, logits: Tensor) -> None:
    """Each sentence alone gives the logits that it gives in the padded batch: the golden holds for packed rows too."""
    for row, sentence in enumerate(batches(encoder)[0]["sentences"]):
        alone = model(input_ids=torch.tensor([sentence])).logits[0]
        torch.testing.assert_close(alone, logits[row], rtol=1e-12, atol=1e-12)


def is_key_bias(name: str) -> bool:
    """A bias of the keys adds the same to all scores of a query: softmax does not see it, and its gradient is zero."""
    return name.replace("base_layer.", "").endswith(("key.bias", "k_lin.bias"))


def check_gradients(
    model: nn.Module, batch: dict[str, Tensor], parameters: dict[str, nn.Parameter], gradients: dict[str, Tensor]
) -> None:
    """Every gradient, along a random direction, against a central difference; none is zero but the key biases'."""
    step = 1e-5
    for name, parameter in parameters.items():
        zero = gradients[name].norm() < 1e-12
        assert zero == is_key_bias(name), f"{name}: gradient norm {gradients[name].norm()}"
        direction = torch.randn(parameter.shape, generator=generator(f"check:{name}"), dtype=torch.float64)
        direction /= direction.norm()
        start, losses = parameter.data.clone(), []
        for sign in (1, -1):
            parameter.data = start + sign * step * direction
            losses.append(model(**batch).loss.item())
        parameter.data = start
        slope = (losses[0] - losses[1]) / (2 * step)
        torch.testing.assert_close(slope, (gradients[name] * direction).sum().item(), rtol=1e-5, atol=1e-9, msg=name)


def write_json(path: Path, value: object) -> None:
    """Writes JSON with numbers that read back to the same float64 (Python prints up to 17 digits)."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
