"""NVIDIA ModelOpt, in its own environment: `python engines/quantise SOURCE TARGET RECIPE CHATS`.

CHATS is a JSON list of texts: a recipe that calibrates runs each through the model, as often as it takes.
Says what it does in lines on stderr; exit 1 with one line when it fails. Imports nothing of this project.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

LONGEST = 2048  # tokens of a chat; a model that reads fewer gets fewer


def main() -> None:
    """The command line."""
    source, target, recipe, chats = sys.argv[1:]
    texts = json.loads(Path(chats).read_text())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and shutil.which("nvidia-smi") and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        sys.exit("torch does not reach this machine's GPU; cure: the driver, or CUDA_VISIBLE_DEVICES= (CPU)")
    # these take most of the start: what torch alone can tell is told before
    import modelopt.torch.quantization as mtq
    from modelopt.recipe import load_recipe
    from modelopt.torch.export import export_hf_checkpoint
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chosen = load_recipe(recipe).quantize.model_dump()  # before the model: a wrong name is found at once
    say(f"loading {source} on {device}")
    model = AutoModelForCausalLM.from_pretrained(source, dtype="auto").to(device).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)

    def calibrate(model: torch.nn.Module) -> None:
        longest = min(LONGEST, model.config.max_position_embeddings)
        for number, text in enumerate(texts, 1):
            say(f"calibrating {number}/{len(texts)}")
            model(tokens(tokenizer, text)[:, :longest].to(device))

    say(f"quantising with {recipe}")
    with torch.no_grad():
        mtq.quantize(model, chosen, calibrate)
    say(f"writing {target}")
    export_hf_checkpoint(model, export_dir=target)
    tokenizer.save_pretrained(target)
    if not (Path(target) / "hf_quant_config.json").is_file():
        sys.exit(f"{recipe} left the model as it was; cure: choose a recipe that quantises weights")
    for path in Path(target).iterdir():  # weights come out for their owner alone; another may serve them
        path.chmod(path.stat().st_mode | 0o044)
    say("done")


def tokens(tokenizer: Any, text: str) -> Any:
    """A text as the model reads it in a show: said by the user, where the model has a form for that.

    Not cut by the tokenizer: it would be saved with that limit, and a server would cut every prompt."""
    if not tokenizer.chat_template:
        return tokenizer(text, return_tensors="pt")["input_ids"]
    said = [{"role": "user", "content": text}]
    form = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
    return tokenizer.apply_chat_template(said, **form)["input_ids"]


def say(line: str) -> None:
    """A line for the parent to show."""
    sys.stderr.write(f"quantise: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
