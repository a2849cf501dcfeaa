#!/usr/bin/env python3
"""Matrix products in PyTorch, in GFLOP/s: what cuBLAS or the CPU's BLAS makes of the shapes of
`deno task bench --shapes 4096x4096x4096`. Needs torch; prints {device, precision, results}.
"""

import argparse
import json
import statistics
import time

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="1024x1024x1024,4096x4096x4096", help="rows x columns x inner, comma-separated")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32", "bf16", "fp16"], default="fp32")
    parser.add_argument("--samples", type=int, default=5)
    arguments = parser.parse_args()
    cuda = arguments.device == "cuda"
    torch.backends.cuda.matmul.allow_tf32 = arguments.precision == "tf32"
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(arguments.precision, torch.float32)

    def rate(rows, columns, inner):
        a = torch.randn(rows, inner, device=arguments.device, dtype=kind)
        b = torch.randn(columns, inner, device=arguments.device, dtype=kind)

        def seconds(times):
            start = time.perf_counter()
            for _ in range(times):
                a @ b.T
            if cuda:
                torch.cuda.synchronize()
            return (time.perf_counter() - start) / times

        seconds(1)
        times = max(1, round(0.2 / seconds(3)))
        return 2 * rows * columns * inner / statistics.median(seconds(times) for _ in range(arguments.samples)) / 1e9

    results = []
    for shape in arguments.shapes.split(","):
        sizes = [int(size) for size in shape.split("x")]
        results.append({"kernel": "matmul.NT", "shape": "×".join(map(str, sizes)), "unit": "GFLOP/s", "torch": rate(*sizes)})
    name = torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} CPU threads"
    print(json.dumps({"device": name, "precision": arguments.precision, "results": results}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
