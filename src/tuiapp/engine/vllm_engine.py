"""vLLM behind the driver's ``Engine``: started, asked and ended."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuiapp.engine import demo_model, preflight, vllm_args, vllm_info
from tuiapp.engine.client import Delivery, Launch
from tuiapp.engine.tap import Tap, core_stamps
from tuiapp.errors import EngineError
from tuiapp.events import Frame

_CLOSE_S = 1.0


def start(launch: Launch) -> VllmEngine:
    """Import vLLM, load the model and return the engine, ready; takes seconds to minutes.

    Raises:
        EngineError: the model or an argument is wrong, with a sentence for the user.
        Exception: whatever vLLM raises while it loads.
    """
    is_demo = launch.model is None
    model = launch.model or str(Path(launch.demo_dir))
    vllm_args.set_environment(model)
    from vllm.v1.engine.async_llm import AsyncLLM

    from tuiapp.engine.stat_logger import TapLogger, without_exporter

    if is_demo:
        demo_model.make(Path(model))
    launch.phase("config")
    config = _config(vllm_args.parse(model, launch.engine_args, is_demo=is_demo), model)
    launch.info(vllm_info.of_config(config, demo_model.NAME if is_demo else model))
    taps: list[Tap] = []

    def tap(vllm_config: Any, engine_index: int) -> Tap:
        taps.append(TapLogger(vllm_config, engine_index))
        return taps[-1]

    # The engine core and its workers are new processes, which import vLLM once more: most of the
    # time until the first line about weights.
    launch.phase("import")
    engine = AsyncLLM.from_vllm_config(config, stat_loggers=[tap], disable_log_stats=True)
    without_exporter(engine)
    return VllmEngine(engine, taps, launch.origin_ns)


def _config(args: Any, model: str) -> Any:
    try:
        return args.create_engine_config()
    except OSError as error:
        if preflight.looks_like_path(model):
            raise
        raise EngineError(
            f"The model {model} could not be downloaded or is no model: {_first_line(error)}",
            "Check the name and the network, or HF_TOKEN for a gated model; a local folder needs "
            "no network.",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


class VllmEngine:
    """A running ``AsyncLLM``.

    Args:
        engine: the ``AsyncLLM``.
        taps: its stat loggers, one a data-parallel rank.
        origin_ns: CLOCK_MONOTONIC reading that counts as zero in frames.
    """

    def __init__(self, engine: Any, taps: Sequence[Tap], origin_ns: int) -> None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        self._engine = engine
        self._taps = taps
        self._origin_ns = origin_ns
        self._fixed = {"ignore_eos": True, "detokenize": False}
        self._delta = RequestOutputKind.DELTA
        self._sampling = SamplingParams
        self._params: dict[int, Any] = {}
        self.vocab_size: int = engine.model_config.get_vocab_size()
        self.max_model_len: int = engine.model_config.max_model_len

    async def generate(
        self, req_id: str, prompt_token_ids: Sequence[int], max_tokens: int
    ) -> AsyncIterator[Delivery]:
        # The rendered form: a raw prompt would go through the tokenizer's thread first.
        prompt = {"type": "token", "prompt_token_ids": prompt_token_ids}
        first = True
        async for output in self._engine.generate(prompt, self._params_of(max_tokens), req_id):
            news = core_stamps(output) if first or output.finished else None
            first = False
            yield len(output.outputs[0].token_ids), news

    def _params_of(self, max_tokens: int) -> Any:
        params = self._params.get(max_tokens)
        if params is None:
            params = self._sampling(max_tokens=max_tokens, output_kind=self._delta, **self._fixed)
            self._params[max_tokens] = params
        return params

    @property
    def dead(self) -> str | None:
        if not self._engine.errored:
            return None
        ended = self._ended_processes()
        if not ended:
            return "The engine core stopped answering."
        name, code = ended[0]
        return f"vLLM's process {name} {_how_ended(code)}."

    def _ended_processes(self) -> list[tuple[str, int]]:
        core = getattr(self._engine, "engine_core", None)
        manager = getattr(getattr(core, "resources", None), "engine_manager", None)
        processes = getattr(manager, "processes", ())
        return [(p.name, p.exitcode) for p in processes if p.exitcode]

    def info(self) -> Mapping[str, Any]:
        return vllm_info.of_cache(self._engine.vllm_config)

    def steps(self) -> list[Frame]:
        return [frame for tap in self._taps for frame in tap.collect(self._origin_ns)]

    def close(self) -> None:
        self._engine.shutdown(timeout=_CLOSE_S)


def _how_ended(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"
