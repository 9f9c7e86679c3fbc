"""Measures the photos per second of `receptive embed` and of torchvision's DataLoader, in turn.

    python3 benchmarks/pipeline.py --receptive target/release/receptive --python VENV/bin/python

VENV needs numpy, pillow, torch and torchvision. The photos are JPEG files of 1920x1080 (photos.py), the
network is MobileNetV2. Writes `results/pipeline/MACHINE-COMMIT.json`.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import machine
import process
import results

HERE = Path(__file__).resolve().parent


def seconds(command: list, expected: str = "") -> tuple[float, float]:
    """Returns the time of a command in seconds and the peak memory of its own process in MiB."""
    start = time.perf_counter()
    output, peak = process.execute([str(part) for part in command], None, sample_memory=True)
    elapsed = time.perf_counter() - start
    assert expected in output, output
    return elapsed, peak / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--receptive", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--photos", type=Path, default=Path(tempfile.gettempdir()) / "receptive-photos")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="of the DataLoader")
    args = parser.parse_args()
    make = [args.python, HERE / "photos.py", args.photos, str(args.count)]
    subprocess.run(make, check=True)

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "vectors.npy"

        def receptive(*options: str) -> tuple[float, float]:
            output.unlink(missing_ok=True)
            return seconds([args.receptive, "embed", args.photos, "--output", output, *options])

        programs = {
            "receptive": receptive,
            "receptive, one thread": lambda: receptive("--threads", "1"),
            "receptive, scale on decode": lambda: receptive("--scale-on-decode"),
        }
        for workers in args.workers:
            command = [args.python, HERE / "pipeline_worker.py", args.photos, workers]
            programs[f"torchvision, {workers} workers"] = lambda command=command: seconds(
                command, str(args.count)
            )
        rounds = {name: [] for name in programs}
        peaks = {}
        for _ in range(args.rounds):
            for name, program in programs.items():
                elapsed, peak = program()
                rounds[name].append(args.count / elapsed)
                peaks[name] = max(peak, peaks.get(name, 0))
                print(f"{name}: {args.count / elapsed:.1f} photos/s, {peak:.0f} MiB", flush=True)

    processor = machine.processor()
    result = {
        "schema": results.SCHEMA,
        "machine": machine.slug(processor, processor.cpus),
        "commit": results.head_commit(),
        "processor": processor.name,
        "date": results.now(),
        "photos": args.count,
        "photos_per_second": rounds,
        "median": {name: statistics.median(rates) for name, rates in rounds.items()},
        "peak_mib": peaks,
    }
    target = results.RESULTS / "pipeline" / f"{result['machine']}-{result['commit']}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
