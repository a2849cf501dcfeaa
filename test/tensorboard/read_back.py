"""Reads an experiment's logs by TensorBoard and compares them with its steps.jsonl and run.json: read_back.py EXPERIMENT"""
import json
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

experiment = Path(sys.argv[1])
runs = sorted(path.parent for path in experiment.glob("*/run.json"))
assert runs, f"{experiment} holds no runs"
for folder in runs:
    run = json.loads((folder / "run.json").read_text())
    steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    log = EventAccumulator(str(experiment / "logs" / folder.name), size_guidance={"scalars": 0}).Reload()

    def compare(tag: str, expected: list[tuple[int, float]]) -> None:
        read = [(event.step, event.value) for event in log.Scalars(tag)]
        assert len(read) == len(expected), f"{folder.name} {tag}: {len(read)} of {len(expected)}"
        for (step, value), (wanted, number) in zip(read, expected):
            assert step == wanted and math.isclose(value, number, rel_tol=1e-6), f"{tag} {step}: {value}, not {number}"

    for name in ["loss", "learning_rate", "gradient_norm", "tokens_per_second"]:
        compare(f"train/{name}", [(step["step"], step[name]) for step in steps])
    for name in ["loss", "accuracy", "macro_precision", "macro_recall", "macro_f1"]:
        compare(f"validation/{name}", [(s, m[name]) for s, m in zip(run["validation_steps"], run["validation"])])
        compare(f"test/{name}", [(run["best_step"], run["test"][name])])
    times = [event.wall_time for event in log.Scalars("train/loss")]
    assert times == sorted(times), f"{folder.name}: times go back"
    print(f"{folder.name}: {len(log.Tags()['scalars'])} curves, {len(steps)} steps")
