"""Writes tensorboard.tfevents, which test/cli/tensorboard_test.ts compares with, by TensorBoard's own classes."""
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def event(wall_time: float, step: int, scalars: dict[str, float]) -> Event:
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
    return Event(wall_time=wall_time, step=step, summary=Summary(value=values))


with open(Path(__file__).parent / "tensorboard.tfevents", "wb") as file:
    writer = RecordWriter(file)
    for each in [
        Event(wall_time=1700000000, file_version="brain.Event:2"),
        event(1700000000.25, 1, {"train/loss": 2.5, "train/rate": 1e-3}),
        event(1700000001.5, 300, {"ünïcode": -1.25}),
        event(1700000002.5, 5_000_000_000, {"train/loss": float("inf")}),
    ]:
        writer.write(each.SerializeToString())
    writer.flush()
