#!/usr/bin/env python3
"""Writes the predictions of torchvision's MobileNetV2 for the project's photos.

    python3 cli/tests/predictions/generate.py            writes predictions.json
    python3 cli/tests/predictions/generate.py --check    exits with 1 where it differs

The weights are those of `assets/`, in half precision. Needs the packages of requirements.txt.
`--out FOLDER` reads and writes another folder.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
ASSETS = HERE.parents[2] / "assets"
# Predictions of a photo.
COUNT = 3
# The largest accepted difference of a probability from the committed one.
TOLERANCE = 1e-4


class Failed(Exception):
    """The command cannot be completed; the message says why."""


def predict() -> dict[str, list[tuple[str, float]]]:
    """The most probable classes of each photo and their probabilities, by file name."""
    try:
        import torch
        from PIL import Image
        from safetensors.torch import load_file
        from torchvision.models import MobileNet_V2_Weights, mobilenet_v2
    except ImportError as error:
        raise Failed(f"{error}; install the packages of {REQUIREMENTS}") from error
    published = MobileNet_V2_Weights.IMAGENET1K_V1
    network = mobilenet_v2().eval()
    weights = load_file(ASSETS / "mobilenet_v2-f16.safetensors")
    missing, unexpected = network.load_state_dict(weights, strict=False)
    wrong = [*unexpected, *(name for name in missing if not name.endswith("num_batches_tracked"))]
    if wrong:
        raise Failed(f"the weights do not fit the network: {wrong}")
    preprocess, labels = published.transforms(), published.meta["categories"]
    predictions = {}
    for path in sorted((ASSETS / "photos").iterdir()):
        image = preprocess(Image.open(path).convert("RGB"))
        with torch.no_grad():
            probabilities = network(image[None]).softmax(1)[0]
        best = zip(*(values.tolist() for values in probabilities.topk(COUNT)), strict=True)
        predictions[path.name] = [(labels[label], round(value, 6)) for value, label in best]
    return predictions


def differences(found: dict, committed: dict) -> list[str]:
    """A line for each photo whose predictions differ."""
    lines = []
    for photo in sorted(found.keys() | committed.keys()):
        pair = found.get(photo, []), committed.get(photo, [])
        labels = [[label for label, _ in predictions] for predictions in pair]
        pairs = zip(*pair, strict=False)
        if labels[0] != labels[1] or any(abs(a - b) > TOLERANCE for (_, a), (_, b) in pairs):
            lines.append(f"{photo}: {pair[1]}, expected {pair[0]}")
    return lines


def run(path: Path, checking: bool) -> int:
    """Writes or checks the file. Returns the exit status."""
    found = predict()
    if not checking:
        path.write_text(json.dumps(found, indent=2) + "\n")
        return 0
    try:
        committed = json.loads(path.read_text())
    except ValueError as error:
        raise Failed(f"{path}: {error}") from error
    lines = differences(found, committed)
    for line in lines:
        print(line)
    return 1 if lines else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args()
    try:
        return run(options.out / "predictions.json", options.check)
    except (Failed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
