"""Secrets stay out of what is recorded."""

from __future__ import annotations

import pytest

from tuiapp.session.redaction import Redaction

TOKEN = "hf_AbCdEfGhIjKlMnOpQrSt"
NONE = Redaction({})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--hf-token", "abc", "--seed", "1"], ["--hf-token", "***", "--seed", "1"]),
        (["--hf_token=abc"], ["--hf_token=***"]),
        (["--hf-token", "--seed", "1"], ["--hf-token", "--seed", "1"]),
        (["--api-key", "a", "b"], ["--api-key", "***", "b"]),
        (["--max-num-batched-tokens", "2048"], ["--max-num-batched-tokens", "2048"]),
        (["--tokenizer", "some/where"], ["--tokenizer", "some/where"]),
        (["--additional-config", f'{{"t": "{TOKEN}"}}'], ["--additional-config", '{"t": "***"}']),
    ],
)
def test_arguments(given: list[str], kept: list[str]):
    assert NONE.arguments(given) == kept


@pytest.mark.parametrize("name", ["HF_TOKEN", "OPENAI_API_KEY", "MY_DB_PASSWORD", "aws_secret_x"])
def test_what_the_environment_keeps_secret_is_masked(name: str):
    redaction = Redaction({name: "correct horse (battery)"})
    assert redaction.text("it is correct horse (battery)!") == "it is ***!"


@pytest.mark.parametrize("name", ["HOME", "KEYBOARD", "TOKENIZERS_PARALLELISM"])
def test_other_variables_are_no_secrets(name: str):
    assert Redaction({name: "/home/somebody"}).text("in /home/somebody") == "in /home/somebody"


def test_a_short_value_is_no_secret():
    assert Redaction({"API_KEY": "none"}).text("none found") == "none found"


def test_a_secret_that_contains_another():
    redaction = Redaction({"A_KEY": "abcdefgh", "B_KEY": "abcdefghijkl"})
    assert redaction.text("abcdefghijkl abcdefgh") == "*** ***"


def test_the_shape_of_a_key_is_enough():
    assert NONE.text(f"using {TOKEN} now") == "using *** now"
    assert NONE.text("sk-learn and hf_hub") == "sk-learn and hf_hub"
