"""A small real model made on the spot: nothing to download, nothing to agree to.

A four-layer Llama with random weights and a byte-level BPE tokenizer. It answers nonsense, at the
speed of a real engine: every part of the path is real but the weights' meaning.
``python -m tuiapp.engine.demo_model [DIR]`` makes it and prints where it is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tuiapp.errors import EngineError

NAME = "demo-llama"
VOCAB_SIZE = 2048
MAX_POSITIONS = 4096
_SEED = 20_250_101
_COMPLETE = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")

_BOS, _EOS = "<s>", "</s>"
_TEXT = (
    "A language model reads a prompt and writes its answer one token after another.",
    "The time to the first token is what a reader waits before anything appears at all.",
    "The time per output token decides whether the answer flows or stutters.",
    "A queue in front of a busy engine shows first in the slowest one percent of requests.",
    "Bare metal and virtual machines differ less in the mean than in the tail.",
    "Measure on the host you would rent, with the load you expect, and keep every sample.",
    "0 1 2 3 4 5 6 7 8 9 10 20 50 100 1000 milliseconds, seconds, minutes, hours.",
)


def is_complete(path: Path) -> bool:
    """Whether every file of the model is there."""
    return all((path / name).is_file() for name in _COMPLETE)


def make(path: Path) -> Path:
    """Make the model in ``path`` unless it is there already; returns ``path``.

    It appears at once and whole: two runs that make it at the same time do not disturb each other.

    Raises:
        EngineError: the folder cannot be written.
    """
    try:
        if not is_complete(path):
            _make(path)
    except OSError as error:
        raise EngineError(
            f"The demo model cannot be made in {path}: {error.strerror or error}.",
            "Free space there, or set XDG_CACHE_HOME to another folder.",
        ) from error
    return path


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        made.mkdir()
        _write_tokenizer(made)
        _write_weights(made)
        _put(made, path)


def _put(made: Path, path: Path) -> None:
    if path.exists() and not is_complete(path):
        shutil.rmtree(path)
    try:
        made.rename(path)
    except OSError:
        if not is_complete(path):  # no other run was faster
            raise


def _write_tokenizer(path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        _TEXT, vocab_size=VOCAB_SIZE, min_frequency=1, special_tokens=[_BOS, _EOS]
    )
    inner: Any = tokenizer._tokenizer  # noqa: SLF001 - transformers' documented way in
    PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=_BOS, eos_token=_EOS).save_pretrained(
        path
    )


def _write_weights(path: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=MAX_POSITIONS,
        bos_token_id=0,
        eos_token_id=1,
    )
    torch.manual_seed(_SEED)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(path)


def main(argv: list[str]) -> int:
    """Make the model in the folder named, or in the user's cache, and print the folder."""
    from tuiapp.sources.engine_config import demo_dir  # the engine's Python may lack platformdirs

    path = Path(argv[1]) if len(argv) > 1 else demo_dir()
    sys.stdout.write(f"{make(path)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
