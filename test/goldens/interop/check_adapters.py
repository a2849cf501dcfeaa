"""Loads an AdapterHub folder and its head with the adapters library and prints its logits.

python check_adapters.py <our run folder> --base <hf model folder> --inputs inputs.json
"""

from __future__ import annotations

import adapters
from logits import arguments, classes, load_base, print_logits


def main() -> None:
    options = arguments("Logits of an exported adapter (adapters)")
    model = load_base(options.base, classes(options.run / "model_head.safetensors"))
    adapters.init(model)
    info: dict[str, list[str]] = {}
    model.load_adapter(
        str(options.run.resolve()), with_head=True, use_safetensors=True, set_active=True, loading_info=info
    )
    problems = {key: value for key, value in info.items() if value}
    assert not problems, problems  # keys that are missing or unexpected
    print_logits(model, options.inputs)


if __name__ == "__main__":
    main()
