"""A bundle with two adapters, as a build leaves it, under the show's own config: each character has hers."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.adopt import adopt
from engines.bundle.steps import link
from engines.cache import locate
from engines.llm.options import MODEL, SERVER
from engines.port import unused
from engines.process import running
from engines.specs import specs
from glue.app import check
from glue.checks import plain
from glue.closing import closing
from glue.make import make
from glue.ports import Message, Prompt, Usage
from tests.need import need_models
from tests.test_conf import composed
from tests.wires import lora
from tests.wires.test_build_native import BUILT, compiled

LINE = Message("user", "Once upon a time there was a robot who")


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["wheel", pytest.param("native", marks=compiled)])
async def test_each_character_speaks_with_the_adapter_of_the_bundle(tmp_path: Path, server: str) -> None:
    need_models("smollm2")
    model = locate("smollm2", MODEL)
    link(model, tmp_path / "built" / MODEL)
    if server == "native":
        link(BUILT[0], tmp_path / "built" / SERVER)
    (tmp_path / "built" / "adapters").mkdir()
    for seed, who in enumerate(("evil", "main")):
        lora.write(tmp_path / "built" / "adapters" / f"{who}.gguf", model, seed)
    cfg = composed(
        "llm=smollm2",
        f"llm.engine.bundle={tmp_path / 'built'}",
        f"llm.engine.port={unused()}",
        "llm.engine.threads=1",
        "llm.engine.threads_batch=1",
        "llm.engine.prefix_folder=none",
    )
    adopt(cfg)
    check(cfg)
    said = {}
    async with (
        running(specs(cfg, ["llm"]), tmp_path, within=60),
        make("llm.adapter", plain(cfg.llm.adapter), {}) as llm,
    ):
        for who in ("main", "evil", "nobody"):
            prompt = Prompt(who, (LINE,), max_tokens=12, temperature=0.0, seed=1)
            await llm.settle(prompt)  # Refused where the server's adapters are others
            async with closing(llm.stream(prompt)) as pieces:
                said[who] = "".join([each async for each in pieces if not isinstance(each, Usage)])
    assert len(set(said.values())) == 3, said
