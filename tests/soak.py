#!/usr/bin/env python3
"""Runs classification, training and resumption in turn for hours, and checks that results, memory and
file handles do not change.

    python3 tests/soak.py target/release/receptive --hours 24

A cycle classifies the sample photos, trains LeNet-5 for some steps, interrupts the run, resumes it, and
samples a process that classifies 200,000 photos, one after the other, and is started again when it ends.
The report has one line for each cycle. The exit code is 1 if a result differs from that of the first
cycle, if a command fails, or if the memory or the number of file handles of the long process grows by
more than a tenth after the first cycle. Linux only.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROWTH = 1.1
PHOTOS = 200_000
SAMPLES = 50


def sample(pid):
    """Returns the resident memory in MiB and the number of file handles of a process, without the handle
    of the photo that it reads in some moments."""
    process = pathlib.Path("/proc") / str(pid)
    handles = []
    for _ in range(SAMPLES):
        handles.append(len(list((process / "fd").iterdir())))
        time.sleep(0.01)
    status = (process / "status").read_text().splitlines()
    resident = next(line for line in status if line.startswith("VmRSS:"))
    return int(resident.split()[1]) / 1024, min(handles)


def classify(program):
    """Returns the predictions for the sample photos."""
    photos = ROOT / "assets" / "photos"
    done = subprocess.run(
        [program, "classify", "--json", photos], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def train(program, folder):
    """Trains LeNet-5 with an interruption and returns the bytes of its weights."""
    command = [program, "train", "lenet5", "--output", folder, "--threads", "2"]
    command += ["--set", "epochs=2", "--set", "batch=128", "--save-minutes", "0"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(2)
    run.send_signal(signal.SIGTERM)
    if run.wait() not in (0, 128 + signal.SIGTERM):
        raise RuntimeError(f"train ended with {run.returncode}")
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL)
    return (pathlib.Path(folder) / "model.safetensors").read_bytes()


def cycle(program):
    with tempfile.TemporaryDirectory() as folder:
        return classify(program), train(program, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the command line, built for release")
    parser.add_argument("--hours", type=float, default=24.0, help="duration [default: 24]")
    arguments = parser.parse_args()
    end = time.monotonic() + 3600 * arguments.hours
    photos = tempfile.TemporaryDirectory()
    for number in range(PHOTOS):
        link = pathlib.Path(photos.name) / f"{number:06}.png"
        link.symlink_to(ROOT / "assets" / "photos" / "coffee.png")
    command = [arguments.program, "classify", "--top", "1", "--threads", "1", photos.name]
    long = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        expected = cycle(arguments.program)
        memory, handles = sample(long.pid)
        number = 1
        while True:
            if long.poll() == 0:
                long = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                time.sleep(10)
            print(f"cycle {number}: {memory:.0f} MiB, {handles} file handles", flush=True)
            if time.monotonic() >= end:
                return 0
            number += 1
            if cycle(arguments.program) != expected:
                print("error: other results than in the first cycle", file=sys.stderr)
                return 1
            now = sample(long.pid)
            if now[0] > GROWTH * memory or now[1] > GROWTH * handles:
                print(f"error: {now[0]:.0f} MiB, {now[1]} file handles", file=sys.stderr)
                return 1
    finally:
        long.kill()
        long.wait()
        photos.cleanup()


if __name__ == "__main__":
    sys.exit(main())
