#!/usr/bin/env python3
"""The same training steps in PyTorch with transformers and PEFT, on random weights.

Prints the JSON that `deno task bench:step --json` prints, so that

    python bench/peers/torch_step.py --padding 512 > torch.json
    deno task bench:step --models base --batches 16 --lengths emotion --json > ours.json
    deno task bench:compare torch.json ours.json

shows the ratio. Needs torch, transformers and peft. The adapter row puts one tied bottleneck behind
every layer's feed-forward output, as `--adapter_placement shared` does.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import statistics
import sys
import time

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

CLASSES = 13
RATE = 2e-5


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", choices=["base", "mini"], default="base")
    add("--methods", default="lora", help="comma-separated: full, lora, adapter (lora)")
    add("--batches", default="16", help="comma-separated sentences a step (16)")
    add("--lengths", default="emotion", help="comma-separated tokens a sentence, or emotion: 15 to 25 (emotion)")
    add("--padding", default="512", help="tokens that all sentences are padded to, or longest (512)")
    add("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    add("--precision", choices=["fp32", "tf32", "bf16"], default="fp32", help="bf16 is autocast (fp32)")
    add("--compile", action="store_true", help="torch.compile the model")
    add("--attention", choices=["sdpa", "eager"], default="sdpa")
    add("--threads", type=int, default=os.cpu_count(), help="CPU threads (all)")
    add("--warmup", type=int, default=1, help="steps before the clock starts (1)")
    add("--steps", type=int, default=3, help="timed steps of a block (3)")
    add("--blocks", type=int, default=3, help="blocks, whose median counts (3)")
    return parser.parse_args()


def sentence_lengths(batch, length):
    """As sentenceLengths in bench/step_bench.ts."""
    return [15 + (7 * i) % 11 if length == "emotion" else length for i in range(batch)]


class TiedAdapter(torch.nn.Module):
    """A dense layer followed by its share of Pfeiffer's adapter: LN(A(h) + D + X) with h = LN(D + X)."""

    def __init__(self, output, bottleneck):
        super().__init__()
        self.dense, self.LayerNorm, self.dropout = output.dense, output.LayerNorm, output.dropout
        self.bottleneck = bottleneck

    def forward(self, hidden, inputs):
        total = self.dropout(self.dense(hidden)) + inputs
        return self.LayerNorm(self.bottleneck(self.LayerNorm(total)) + total)


def make_model(name, method, attention):
    sizes = {} if name == "base" else dict(
        vocab_size=6000, hidden_size=128, num_hidden_layers=4, num_attention_heads=4, intermediate_size=512
    )
    config = BertConfig(num_labels=CLASSES, attn_implementation=attention, **sizes)
    model = BertForSequenceClassification(config)
    if method == "lora":
        lora = LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["query", "value"])
        return get_peft_model(model, lora), config
    if method == "adapter":
        model.requires_grad_(False)
        model.classifier.requires_grad_(True)
        bottleneck = torch.nn.Sequential(
            torch.nn.Linear(config.hidden_size, 64), torch.nn.ReLU(), torch.nn.Linear(64, config.hidden_size)
        )
        for layer in model.bert.encoder.layer:
            layer.output = TiedAdapter(layer.output, bottleneck)
    return model, config


def make_batch(config, batch, length, padding, device):
    lengths = sentence_lengths(batch, length)
    width = max(lengths) if padding == "longest" else int(padding)
    if width < max(lengths):
        sys.exit(f"--padding {width} is below the longest sentence, {max(lengths)} tokens.")
    ids = torch.randint(5, config.vocab_size, (batch, width))
    mask = torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]
    labels = torch.arange(batch) % CLASSES
    inputs = {"input_ids": ids * mask, "attention_mask": mask.long(), "labels": labels}
    return {name: value.to(device) for name, value in inputs.items()}, sum(lengths)


def measure(arguments, method, batch, length):
    """Median milliseconds of a step, and what a row holds besides."""
    device = torch.device(arguments.device)
    cuda = device.type == "cuda"
    torch.manual_seed(1)
    model, config = make_model(arguments.model, method, arguments.attention)
    model.to(device).train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    inputs, tokens = make_batch(config, batch, length, arguments.padding, device)
    run = torch.compile(model) if arguments.compile else model
    autocast = (
        torch.autocast(device.type, torch.bfloat16) if arguments.precision == "bf16" else contextlib.nullcontext()
    )

    def steps(count):
        start = time.perf_counter()
        for _ in range(count):
            with autocast:
                loss = run(**inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        if cuda:
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1000 / count

    if cuda:
        torch.cuda.reset_peak_memory_stats()
    if arguments.warmup > 0:
        steps(arguments.warmup)
    times = [steps(arguments.steps) for _ in range(arguments.blocks)]
    middle = statistics.median(times)
    return {
        "engine": f"PyTorch {torch.__version__}{' compiled' if arguments.compile else ''}",
        "device": torch.cuda.get_device_name() if cuda else f"{arguments.threads} CPU threads",
        "model": arguments.model,
        "method": method,
        "batch": batch,
        "length": length,
        "padding": arguments.padding,
        "precision": {"fp32": "f32"}.get(arguments.precision, arguments.precision),
        "tokens": tokens,
        "steps": arguments.steps * arguments.blocks,
        "milliseconds": middle,
        "spread": (max(times) - min(times)) / middle,
        "tokensPerSecond": tokens / middle * 1000,
        "dispatches": None,
        "recordMilliseconds": None,
        "submitMilliseconds": None,
        "peakBytes": torch.cuda.max_memory_allocated() if cuda else None,
    }


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.backends.cuda.matmul.allow_tf32 = arguments.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = arguments.precision == "tf32"
    lengths = [part if part == "emotion" else int(part) for part in arguments.lengths.split(",")]
    rows = [
        measure(arguments, method, int(batch), length)
        for method in arguments.methods.split(",")
        for batch in arguments.batches.split(",")
        for length in lengths
    ]
    cuda = arguments.device == "cuda"
    document = {
        "kind": "steps",
        "version": 1,
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ"),
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "os": platform.system().lower(),
            "runtime": f"Python {platform.python_version()}",
        },
        "adapter": {
            "description": rows[0]["device"],
            "vendor": "",
            "architecture": "",
            "software": not cuda,
            "subgroupSize": 0,
        },
        "results": rows,
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
