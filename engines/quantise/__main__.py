"""Quantises with NVIDIA ModelOpt, in its own environment: `python engines/quantise SOURCE TARGET RECIPE`.

Says what it does in lines on stderr; exit 1 with one line when it fails. Imports nothing of this project.
"""

import os
import shutil
import sys
from pathlib import Path

import modelopt.torch.quantization as mtq
import torch
from modelopt.recipe import load_recipe
from modelopt.torch.export import export_hf_checkpoint
from transformers import AutoModelForCausalLM, AutoTokenizer

LINES = (  # what a calibrating recipe runs through the model, each as often as it takes
    "Hello chat, it is good to see all of you here tonight.",
    "The little robot looked at the sea for a long time, and then it asked why the water moves.",
    "First mine three blocks of wood, then make a table, and only then think about the diamonds.",
    "What is the tallest mountain that nobody has climbed yet, and who is the next to try?",
)


def main() -> None:
    """The command line."""
    source, target, recipe = sys.argv[1:]
    chosen = load_recipe(recipe).quantize.model_dump()  # before the model: a wrong name is found at once
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and shutil.which("nvidia-smi") and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        sys.exit("torch does not reach this machine's GPU; cure: the driver, or CUDA_VISIBLE_DEVICES= (CPU)")
    say(f"loading {source} on {device}")
    model = AutoModelForCausalLM.from_pretrained(source, dtype="auto").to(device).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)

    def calibrate(model: torch.nn.Module) -> None:
        for number, line in enumerate(LINES, 1):
            say(f"calibrating {number}/{len(LINES)}")
            model(**tokenizer(line, return_tensors="pt").to(device))

    say(f"quantising with {recipe}")
    with torch.no_grad():
        mtq.quantize(model, chosen, calibrate)
    say(f"writing {target}")
    export_hf_checkpoint(model, export_dir=target)
    tokenizer.save_pretrained(target)
    if not (Path(target) / "hf_quant_config.json").is_file():
        sys.exit(f"{recipe} left the model as it was; cure: choose a recipe that quantises weights")
    say("done")


def say(line: str) -> None:
    """A line for the parent to show."""
    sys.stderr.write(f"quantise: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
