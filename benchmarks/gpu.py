#!/usr/bin/env python3
"""Times inference on a GPU in `receptive bench --device` and in PyTorch on the same card, in turn.

    python3 benchmarks/gpu.py
    python3 benchmarks/gpu.py --networks resnet50 --devices wgpu,cuda --batches 32 --rounds 5

Receptive computes in float32; its command line has no other precision for a GPU. PyTorch runs in
float32, in float32 with TF32 multiplications, and in float16. Prints a table and adds the
measurement to `benchmarks/results/gpu/CARD-COMMIT.json`:

    schema         1
    machine        slug of the card, such as `nvidia-h100-80gb-hbm3`
    commit         of the measured program, with `-dirty` where its tree had uncommitted changes
    card           name, driver version and memory in MiB
    processor      as in the results of processors (see results.py)
    system         operating system and architecture
    measurements   a list, the oldest first: kind (`gpu-inference`), date, options, engines
                   (versions), errors, round_ms (network -> batch -> engine -> median milliseconds
                   of each round) and warm_up_s (the same, seconds before the timed passes, in which
                   kernels were compiled and tuned)

Exits with 2 where the machine has no NVIDIA GPU, or an argument is wrong.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import install
import machine
import results
from install import HERE
from process import Failed, run
from runs import comma_separated, rotated, say
from tables import markdown, number

SCHEMA = 1
# The devices of `receptive bench`, each by a program that is built with the feature of this name.
DEVICES = ["wgpu", "vulkan", "cuda"]
# PyTorch's precisions.
PRECISIONS = {"float32": "float32", "tf32": "TF32", "float16": "float16"}
# The networks, by their names in `receptive`: torchvision's networks with the same layers.
NETWORKS = ["alexnet-torchvision", "vgg16", "resnet18", "resnet50", "resnet152", "mobilenet-v2"]
BATCHES = [1, 32, 256]
# Ratios are over this engine's time.
REFERENCE = "pytorch-float32"

# Milliseconds of each round: network -> batch -> engine.
Times = dict[str, dict[str, dict[str, list[float]]]]


@dataclass
class Card:
    """A GPU as a result file describes it."""

    name: str
    driver: str
    memory_mib: int

    @property
    def slug(self) -> str:
        """A file name's part such as `nvidia-h100-80gb-hbm3`."""
        return "-".join(re.findall(r"[a-z0-9]+", self.name.lower())) or "unknown"


def cards() -> list[Card]:
    """The NVIDIA GPUs of this machine; empty without a GPU or a driver."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total"]
    command = [*query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return []
    return parse_cards(done.stdout) if done.returncode == 0 else []


def parse_cards(text: str) -> list[Card]:
    """The GPUs in the output of nvidia-smi: a line `name, driver version, MiB` for each."""
    found = []
    for line in text.splitlines():
        fields = [field.strip() for field in line.rsplit(",", 2)]
        if len(fields) == 3 and fields[2].isdigit():
            found.append(Card(fields[0], fields[1], int(fields[2])))
    return found


def engines(options: argparse.Namespace) -> dict[str, str]:
    """The title of each engine that is measured, in the order of the columns."""
    own = {f"receptive-{name}": f"Receptive, {name}" for name in options.devices}
    theirs = {
        f"pytorch-{name}": f"PyTorch, {title}"
        for name, title in PRECISIONS.items()
        if name in options.precisions
    }
    return own | theirs


def command(
    options: argparse.Namespace, programs: dict[str, Path], engine: str, network: str, batch: int
) -> list[str]:
    """The command that measures an engine on a network and prints a JSON line."""
    kind, _, variant = engine.partition("-")
    if kind == "receptive":
        own = [programs[variant], "bench", network, "--device", variant, "--batch", batch]
        own += ["--seconds", options.seconds, "--json"]
        return [str(argument) for argument in own]
    script = HERE / "gpu_worker.py"
    worker = [options.python, "-P", script, network, batch, variant, options.seconds]
    return [str(argument) for argument in worker]


def read_line(output: str) -> tuple[float, float]:
    """The median milliseconds and the seconds of the warm-up in the last line of an output."""
    line = json.loads(output.strip().splitlines()[-1])
    return round(line["median_ms"], 6), round(line["warm_up"]["seconds"], 3)


def measure(
    options: argparse.Namespace, programs: dict[str, Path]
) -> tuple[Times, Times, dict[str, str]]:
    """Times every engine on every network and batch: the times, the warm-ups and the failures."""
    times: Times = {}
    warm_ups: Times = {}
    errors: dict[str, str] = {}
    for network in options.networks:
        times[network], warm_ups[network] = {}, {}
        for batch in options.batches:
            row: dict[str, list[float]] = {name: [] for name in engines(options)}
            seconds: dict[str, list[float]] = {name: [] for name in row}
            for index in range(options.rounds):
                say(f"{network}, batch {batch}, round {index + 1} of {options.rounds}", end=":")
                for name in rotated(list(engines(options)), index):
                    if name not in row:
                        continue
                    try:
                        output = run(command(options, programs, name, network, batch))
                        milliseconds, warm_up = read_line(output)
                    except (Failed, ValueError, LookupError) as error:
                        subject = f"{engines(options)[name]} on {network}, batch {batch}"
                        say(f"\n{subject} is not measured: {error}")
                        errors[subject] = str(error).replace(str(Path.home()), "~")
                        del row[name], seconds[name]
                        continue
                    row[name].append(milliseconds)
                    seconds[name].append(warm_up)
                    say(f" {name} {number(milliseconds)}", end="")
                say("")
            times[network][str(batch)] = row
            warm_ups[network][str(batch)] = seconds
    return times, warm_ups, errors


def table(times: Times, titles: dict[str, str]) -> str:
    """Median milliseconds, and in brackets the ratio to PyTorch's float32."""
    rows = []
    for network, by_batch in times.items():
        for batch, by_engine in by_batch.items():
            medians = {name: statistics.median(ms) for name, ms in by_engine.items() if ms}
            cells = []
            for engine in titles:
                cell = number(medians[engine]) if engine in medians else ""
                if cell and REFERENCE in medians:
                    cell += f" ({medians[engine] / medians[REFERENCE]:.2f})"
                cells.append(cell)
            rows.append([network, batch, *cells])
    return markdown(["ms", "images", *titles.values()], rows)


def result(
    options: argparse.Namespace, card: Card, commit: str, measurement: dict[str, object]
) -> dict[str, object]:
    """A result file's content with one measurement."""
    return {
        "schema": SCHEMA,
        "machine": options.machine or card.slug,
        "commit": commit,
        "card": asdict(card),
        "processor": machine.processor().to_json(),
        "system": f"{platform.system()} {platform.machine()}",
        "measurements": [measurement],
    }


def save(found: dict, path: Path) -> Path:
    """Writes the result, after the measurements of the file's same card and commit, if any."""
    if path.exists():
        old = json.loads(path.read_text())
        same = [(each["schema"], each["machine"], each["commit"]) for each in (old, found)]
        if same[0] == same[1]:
            found = found | {"measurements": old["measurements"] + found["measurements"]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")
    return path


def build(device: str) -> Path:
    """The command line with one GPU feature: `vulkan` would change the kernels of `wgpu`."""
    target = install.cache_folder() / "gpu" / device
    return install.build_receptive(HERE.parent, "--features", device, "--target-dir", target)


def pytorch_version(python: Path) -> str:
    """PyTorch's version and its CUDA version, such as `2.15.0+cu130`.

    Raises Failed for a PyTorch that cannot use the GPU.
    """
    script = "import torch; assert torch.cuda.is_available(), 'PyTorch error: it finds no CUDA GPU'"
    return run([python, "-c", f"{script}; print(torch.__version__)"]).strip()


def positive_numbers(text: str) -> list[int]:
    """Parses a list such as `1,32,256`."""
    parts = text.split(",")
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers above 0, such as 1,32,256")
    return [int(part) for part in parts]


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, venv = parser.add_argument, install.cache_folder() / "venv"
    add("--networks", type=comma_separated(NETWORKS), default=NETWORKS, help="comma-separated")
    add("--devices", type=comma_separated(DEVICES), default=DEVICES, help=", ".join(DEVICES))
    precisions = list(PRECISIONS)
    add("--precisions", type=comma_separated(precisions), default=precisions, help="of PyTorch")
    add("--batches", type=positive_numbers, default=BATCHES, help="images (default 1,32,256)")
    add("--seconds", type=float, default=3, help="of one process (default 3)")
    add("--rounds", type=int, default=3, help="processes of each engine (default 3)")
    add("--out", type=Path, help="result file (default results/gpu/CARD-COMMIT.json)")
    add("--machine", metavar="SLUG", help="CARD of the result file (default: the card's name)")
    add("--commit", help="COMMIT of the result file (default: the checked-out commit)")
    add("--python", type=Path, help="a Python with torch and torchvision, instead of --venv's")
    add("--venv", type=Path, default=venv, help="virtual environment (default in ~/.cache)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_options(arguments)
    found = cards()
    if not found:
        say("error: gpu.py needs an NVIDIA GPU: nvidia-smi is missing or lists no GPU")
        return 2
    card = found[0]
    if len(found) > 1:
        # PyTorch and CUDA obey the variable; wgpu chooses an adapter itself.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
        say(f"{len(found)} GPUs: the result is recorded for the first, {card.name}")
    date = results.now()
    try:
        if options.python is None:
            options.python = install.environment(options.venv)
            install.python_engine("pytorch", options.python)
        pytorch = pytorch_version(options.python)
        programs = {device: build(device) for device in options.devices}
        version = {name: install.receptive(path).version for name, path in programs.items()}
    except Failed as error:
        say(f"error: {error}")
        return 1
    times, warm_ups, errors = measure(options, programs)
    measurement = {
        "kind": "gpu-inference",
        "date": date,
        "options": {
            "networks": options.networks,
            "batches": options.batches,
            "seconds": options.seconds,
            "rounds": options.rounds,
        },
        "engines": {
            **{f"receptive-{name}": number for name, number in version.items()},
            **{f"pytorch-{name}": pytorch for name in options.precisions},
        },
        "round_ms": times,
        "warm_up_s": warm_ups,
        "errors": errors,
    }
    commit = options.commit or results.head_commit()
    content = result(options, card, commit, measurement)
    default = results.RESULTS / "gpu" / f"{content['machine']}-{commit}.json"
    path = save(content, options.out or default)
    print(f"{card.name}, driver {card.driver}, {date[:10]}, commit {commit}:\n")
    print(table(times, engines(options)))
    say(f"\nwritten to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
