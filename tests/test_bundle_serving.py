"""trtllm-serve's config: what is written for each version, and what stops the build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.bundle import schema, serving, words
from engines.bundle.config import Adapters, Config, Draft, Drafting, Mode, Serve
from engines.bundle.errors import BundleError
from engines.bundle.versions import VERSIONS

ALL = list(schema.MODULES)


def config(version: str = "1.3", draft: Drafting = Drafting.never, **more: Any) -> Config:
    made = words.read("llama31-70b-nvfp4")
    wanted = (
        Draft(draft, "owner/head", dims="llama31-70b", length=4) if draft is not Drafting.never else Draft()
    )
    adapters = more.pop("adapters", Adapters(main="/main", evil="/evil"))
    return replace(made, serve=Serve(version=version, **more), draft=wanted, adapters=adapters)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_gets_what_it_knows(version: str) -> None:
    values = serving.written(config(version), ALL)
    schema.check(values, version)
    assert values["kv_cache_config"] == {"dtype": "fp8", "enable_block_reuse": True, "max_tokens": 32768}
    assert values["cuda_graph_config"] == {"enable_padding": True, "batch_sizes": [1, 2, 4]}
    assert values["guided_decoding_backend"] == "xgrammar" and values["return_perf_metrics"]
    assert values["lora_config"]["lora_dir"] == ["/bundle/adapters/main", "/bundle/adapters/evil"]
    assert values["lora_config"]["max_loras"] == 2
    flag = "--extra_llm_api_options" if version == "1.2" else "--config"
    assert flag in serving.command(config(version), "checkpoint")
    assert "127.0.0.1" in serving.command(config(version), "checkpoint")


@pytest.mark.parametrize("kind", [Drafting.eagle3, Drafting.draft_target])
def test_a_draft_with_lora_needs_a_version_that_has_both(kind: Drafting) -> None:
    with pytest.raises(
        BundleError, match=r"1.2 has no speculative decoding with LoRA; cure: serve.version=1.3"
    ):
        serving.written(config("1.2", kind), ALL)
    alone = serving.written(config("1.2", kind, adapters=Adapters(mode=Mode.prompt)), ALL)
    schema.check(alone, "1.2")
    assert alone["speculative_config"]["speculative_model_dir"] == "/bundle/draft"
    both = serving.written(config("1.3", kind), ALL)
    schema.check(both, "1.3")
    assert both["speculative_config"]["speculative_model"] == "/bundle/draft"
    assert both.get("disable_overlap_scheduler", False) is (kind is Drafting.draft_target)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"max_batchsize": 4}, "has no key 'max_batchsize' that is known here; the keys are: max_batch_size"),
        (
            {"kv_cache_config": {"max_token": 4}},
            "no key 'kv_cache_config.max_token'.*kv_cache_config.max_tokens",
        ),
        ({"kv_cache_config": {"dtype": "fp4"}}, "kv_cache_config.dtype is one of auto, fp8"),
        ({"kv_cache_config": 7}, "kv_cache_config must be a table"),
        ({"max_batch_size": True}, "max_batch_size must be a count"),
        ({"cuda_graph_config": {"batch_sizes": [0]}}, "batch_sizes must be a counts"),
        (
            {"speculative_config": {"speculative_model_dir": "/x"}},
            "is gone after TensorRT-LLM 1.2; this is 1.3",
        ),
        ({"lora_config": {"lora_target_modules": ["attn"]}}, "lora_target_modules is one of attn_q"),
    ],
)
def test_a_key_that_the_server_would_refuse_stops_the_build(extra: dict[str, object], said: str) -> None:
    with pytest.raises(BundleError, match=said):
        schema.check(serving.written(config(extra=extra), ALL), "1.3")


def test_a_key_of_a_later_version_stops_the_build() -> None:
    with pytest.raises(BundleError, match=r"is there from TensorRT-LLM 1.3 on, not in 1.2"):
        schema.check({"speculative_config": {"speculative_model": "/x"}}, "1.2")


def test_extra_keys_are_joined() -> None:
    values = serving.written(
        config(extra={"kv_cache_config": {"max_tokens": 9000}, "stream_interval": 2}), ALL
    )
    assert values["kv_cache_config"] == {"dtype": "fp8", "enable_block_reuse": True, "max_tokens": 9000}
    assert values["stream_interval"] == 2


def test_an_autotuner_cache_is_named_for_all_that_it_depends_on() -> None:
    names = {
        serving.tuned(config("1.3"), "a"),
        serving.tuned(config("1.4"), "a"),
        serving.tuned(config("1.3"), "b"),
        serving.tuned(config("1.3", batches=[1]), "a"),
        serving.tuned(config("1.3", sequence=4096), "a"),
    }
    assert len(names) == 5
    assert serving.tuned(config("1.3", port=9000), "a") in names


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*schema.SCHEMA, "dtype"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*schema.SCHEMA, "x"]), ANY), st.sampled_from(VERSIONS))
def test_any_value_passes_or_is_one_line(values: dict[str, object], version: str) -> None:
    try:
        schema.check(values, version)
    except BundleError as error:
        assert str(error).startswith("serve: ")
