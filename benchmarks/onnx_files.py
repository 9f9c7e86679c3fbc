#!/usr/bin/env python3
"""Times networks that PyTorch exported to ONNX, in `receptive bench` and in other engines, in turn.

    python3 benchmarks/onnx_files.py
    python3 benchmarks/onnx_files.py --networks squeezenet1_1 --engines receptive,onnxruntime

Every engine reads the same files, which `tests/onnx/exports.py` writes: torchvision's networks
with random weights, for one image of 224x224. An engine whose first outputs differ from ONNX
Runtime's is left out. Prints tables of the medians, and adds the measurement to
`benchmarks/results/onnx/MACHINE-COMMIT.json`:

    schema         1
    machine        slug of the processor, without the number of threads
    commit         of the measured program, with `-dirty` where its tree had uncommitted changes
    processor      as in the results of processors (see results.py)
    system         operating system and architecture
    measurements   a list, the oldest first: kind (`onnx-files`), date, options, load_average,
                   engines (versions), isa, errors, round_ms (threads -> network -> engine ->
                   median milliseconds of each round), and load_ms (the same, of reading and
                   preparing the file, for the engines that print it)

Needs Python 3.11, Cargo and, the first time, the network: see README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import install
import machine
import results
import tables
from gpu import positive_numbers, save
from install import HERE, TITLES, Engine, cache_folder
from process import Failed, run
from runs import Run, comma_separated, rotated, say, warn_of_load

SCHEMA = 1
NETWORKS = [
    "efficientnet_b0", "mobilenet_v3_large", "shufflenet_v2_x1_0", "densenet121", "squeezenet1_1",
    "regnet_y_400mf", "alexnet", "vgg11", "googlenet", "resnet18", "resnet50", "mobilenet_v2",
    "mobilenet_v3_small", "convnext_tiny", "mnasnet1_0", "lraspp_mobilenet_v3_large",
    "fcn_resnet50",
]  # fmt: skip
# Depthwise convolutions, gates, concatenations and shuffles, which `compare.py` has few of.
DEFAULT = NETWORKS[:6]
ENGINES = ["receptive", "onnxruntime", "rten", "tract"]
SHAPE = "1x3x224x224"
# The options of the command line that a measurement names.
OPTIONS = ("networks", "threads", "seconds", "rounds")
EXPORTS = HERE.parent / "tests" / "onnx"
# Writes the input of every engine; prints the first outputs.
WRITE_INPUT = "import numpy, sys; sys.path.append(sys.argv[1]); from worker import image\n"
WRITE_INPUT += "numpy.save(sys.argv[3], image([int(n) for n in sys.argv[2].split('x')]))"
READ_OUTPUT = "import numpy, sys; print(numpy.load(sys.argv[1]).ravel()[:10].tolist())"
# The largest relative difference of an engine's outputs from ONNX Runtime's.
TOLERANCE = 1e-3

# Milliseconds of each round: threads -> network -> engine.
Times = dict[str, dict[str, dict[str, list[float]]]]


@dataclass
class Files:
    """The engines, files and measurements of one run of this script."""

    options: argparse.Namespace
    python: Path
    engines: dict[str, Engine] = field(default_factory=dict)
    measured: Run = field(default_factory=Run)
    times: Times = field(default_factory=dict)
    loads: Times = field(default_factory=dict)
    # The first outputs, by network and engine.
    outputs: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def install(self) -> None:
        """Installs or builds each engine and starts it once."""
        for name in self.options.engines:
            say(f"{TITLES[name]}: installing")
            try:
                if name == "receptive":
                    engine = install.receptive(self.options.receptive)
                elif name in install.PACKAGES:
                    engine = install.python_engine(name, self.python)
                else:
                    engine = install.rust_engine(name, cache_folder() / "peers")
                run(engine.start, env(1))
                self.engines[name] = engine
            except Failed as error:
                self.measured.fail(TITLES[name], error)

    def file(self, network: str) -> Path:
        """The path of a network's file; PyTorch writes a file that does not exist."""
        # The folder's name is a hash of everything that the files depend on.
        sources = [EXPORTS / "exports.py", EXPORTS / "torchvision_networks.py", install.PINS]
        content = b"".join(source.read_bytes() for source in sources)
        digest = hashlib.sha256(content).hexdigest()[:12]
        path = cache_folder() / "exports" / digest / f"{network}.onnx"
        if not path.exists():
            say(f"{network}: exporting")
            install.pip(self.python, "torch", "torchvision", "onnxruntime")
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                command = [self.python, EXPORTS / "exports.py", "--write", scratch, network]
                run(command, env(machine.cpus()))
                (Path(scratch) / path.name).replace(path)
        return path

    def measure(self) -> None:
        """Times every engine on every network, once a round."""
        networks = self.options.networks
        for threads in map(str, self.options.threads):
            self.times[threads] = {n: {name: [] for name in self.engines} for n in networks}
            self.loads[threads] = {n: {} for n in networks}
        for index in range(self.options.rounds):
            order = rotated(list(self.engines), index)
            for threads in self.options.threads:
                for network, by_engine in self.times[str(threads)].items():
                    progress = f"round {index + 1} of {self.options.rounds}"
                    say(f"{progress}, threads {threads}, {network}", end=":")
                    for name in [name for name in order if name in by_engine]:
                        self.time(threads, network, name)
                    say("")

    def time(self, threads: int, network: str, name: str) -> None:
        """Times one engine on one network once; drops the engine from the row where it fails."""
        by_engine = self.times[str(threads)][network]
        try:
            found = last_line(run(self.command(threads, network, name), env(threads)))
            by_engine[name].append(round(found["median_ms"], 6))
            outputs = self.outputs.setdefault(network, {})
            if name == "receptive" and name not in outputs:
                found["output"] = self.run_receptive(network)
            outputs.setdefault(name, found.get("output"))
        except (Failed, ValueError, LookupError) as error:
            self.drop(network, name, error)
            return
        self.measured.isa = found.get("isa", self.measured.isa)
        if "load_ms" in found:
            loads = self.loads[str(threads)][network]
            loads.setdefault(name, []).append(round(found["load_ms"], 3))
        say(f" {name} {tables.number(found['median_ms'])}", end="")

    def command(self, threads: int, network: str, name: str) -> list:
        start, path = self.engines[name].start, self.file(network)
        seconds = str(self.options.seconds)
        if name == "receptive":
            flags = ["--batch", "1", "--threads", str(threads), "--seconds", seconds, "--json"]
            return [start[0], "bench", path, *flags]
        return [*start, path, SHAPE, str(threads), seconds]

    def drop(self, network: str, name: str, reason: object) -> None:
        self.measured.fail(f"{TITLES[name]} on {network}", reason)
        for by_network in self.times.values():
            by_network[network].pop(name, None)

    def check_outputs(self) -> None:
        """Drops the times of an engine whose outputs differ from ONNX Runtime's."""
        for network, outputs in self.outputs.items():
            reference = outputs.get(tables.REFERENCE)
            for name, output in outputs.items():
                if not reference:
                    continue
                difference = tables.relative_difference(output, reference)
                if difference > TOLERANCE:
                    reason = f"its outputs differ from ONNX Runtime's by {difference:.1%}"
                    self.drop(network, name, reason)

    def run_receptive(self, network: str) -> list[float]:
        """The first outputs of `receptive run` for the other engines' input."""
        with tempfile.TemporaryDirectory() as folder:
            x, y = Path(folder) / "x.npy", Path(folder) / "y.npy"
            run([self.python, "-P", "-c", WRITE_INPUT, HERE, SHAPE, x])
            program = self.engines["receptive"].start[0]
            run([program, "run", self.file(network), "--input", x, "--output", y])
            return json.loads(run([self.python, "-P", "-c", READ_OUTPUT, y]))

    def result(self) -> dict:
        """The result file's content, with this measurement alone."""
        processor = machine.processor()
        slug = machine.slug(processor, processor.cpus)
        measurement = {
            "kind": "onnx-files",
            "date": self.measured.date,
            "options": {key: getattr(self.options, key) for key in OPTIONS},
            "load_average": self.measured.load,
            "engines": {name: engine.version for name, engine in self.engines.items()},
            "isa": self.measured.isa,
            "errors": self.measured.errors,
            "round_ms": self.times,
            "load_ms": self.loads,
        }
        return {
            "schema": SCHEMA,
            "machine": self.options.machine or slug.rpartition("-")[0],
            "commit": self.options.commit or results.head_commit(),
            "processor": processor.to_json(),
            "system": f"{platform.system()} {platform.machine()}",
            "measurements": [measurement],
        }


def env(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}


def last_line(output: str) -> dict:
    """The JSON object of the last line."""
    return json.loads(output.strip().splitlines()[-1])


def report(times: Times, titles: dict[str, str]) -> str:
    """A table of median milliseconds and ratios to ONNX Runtime, for each number of threads."""
    parts = []
    for threads, by_network in times.items():
        plural = "" if threads == "1" else "s"
        parts += [f"{threads} thread{plural}:", tables.times_table(by_network, titles)]
        if spread := tables.widest_spread(by_network):
            share, engine, network = spread
            parts.append(f"Widest spread of rounds: {share:.0%}, {TITLES[engine]} on {network}.")
    return "\n\n".join(parts)


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, venv = parser.add_argument, cache_folder() / "venv"
    networks, engines = comma_separated(NETWORKS), comma_separated(ENGINES)
    add("--networks", type=networks, default=DEFAULT, help="comma-separated (default: six)")
    add("--engines", type=engines, default=ENGINES, help="comma-separated")
    add("--threads", type=positive_numbers, default=[1, 2], help="comma-separated (default 1,2)")
    add("--seconds", type=float, default=2, help="of one process (default 2)")
    add("--rounds", type=int, default=5, help="processes of each engine (default 5)")
    add("--out", type=Path, help="result file (default results/onnx/MACHINE-COMMIT.json)")
    add("--machine", metavar="SLUG", help="MACHINE of the result file (default: the processor's)")
    add("--commit", help="COMMIT of the result file (default: the checked-out commit)")
    add("--venv", type=Path, default=venv, help="virtual environment (default in ~/.cache)")
    add("--receptive", type=Path, metavar="PATH", help="a built program, instead of building")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse_options()
    warn_of_load()
    try:
        files = Files(options, install.environment(options.venv))
        files.install()
        for network in options.networks:
            files.file(network)
        if not files.engines:
            raise Failed("no engine could be installed")
    except Failed as error:
        say(f"error: {error}")
        return 1
    files.measure()
    files.check_outputs()
    result = files.result()
    path = options.out or results.default_path(result, results.RESULTS / "onnx")
    save(result, path)
    print(report(files.times, {name: engine.title for name, engine in files.engines.items()}))
    say(f"\nwritten to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
