#!/usr/bin/env python3
"""Times inference in `receptive bench` and in other engines on this machine, in turn.

    python3 benchmarks/compare.py
    python3 benchmarks/compare.py --networks vgg16,resnet50 --engines receptive,onnxruntime

Prints tables and adds the measurement to `benchmarks/results/MACHINE-COMMIT.json`. Needs Python
3.11, Cargo and, the first time, the network: see README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import install
import results
import tables
from install import HERE, TITLES, Engine, cache_folder
from machine import cpus
from networks import INFERENCE
from process import Failed, peak_kib, run
from runs import Run, add_run_options, comma_separated, rotated, say, warn_of_load

# The largest relative difference of an engine's outputs from ONNX Runtime's. Float32 and Winograd
# stay far below it; half precision does not.
TOLERANCE = 1e-3
# Seconds of a run whose memory is sampled: memory peaks in the first passes.
MEMORY_SECONDS = 0.5
# An engine's empty start can end before its peak is sampled: the largest of so many starts counts.
EMPTY_STARTS = 5


@dataclass
class Comparison:
    """The engines, models and measurements of one run of this script."""

    options: argparse.Namespace
    python: Path
    engines: dict[str, Engine] = field(default_factory=dict)
    measured: Run = field(default_factory=Run)
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
                run(engine.start, self.env())
                self.engines[name] = engine
            except Failed as error:
                self.measured.fail(TITLES[name], error)

    def write_models(self) -> None:
        """Writes the models, each in the formats that the engines read."""
        for network in self.options.networks:
            # The converters read this file.
            self.model(network, ".onnx")
            self.measured.times[network] = {}
            for name, engine in self.engines.items():
                try:
                    self.model(network, engine.suffix)
                    self.measured.times[network][name] = []
                except Failed as error:
                    self.measured.fail(f"{TITLES[name]} on {network}", error)

    def model(self, network: str, suffix: str) -> Path:
        """The path of a model in the format of this suffix; writes a file that does not exist."""
        graph, recipe = HERE / "graphs" / f"{network}.onnx", HERE / "models.py"
        # The folder's name is a hash of everything that the models depend on.
        sources = [path.read_bytes() for path in (graph, recipe, install.PINS)]
        digest = hashlib.sha256(b"".join(sources)).hexdigest()[:12]
        path = cache_folder() / "models" / digest / (network + suffix)
        if not path.exists():
            run([self.python, "-P", recipe, graph, path, self.shape(network)], self.env())
        return path

    def measure(self) -> None:
        """Times every engine on every network, once a round."""
        for index in range(self.options.rounds):
            order = rotated(list(self.engines), index)
            for network, by_engine in self.measured.times.items():
                say(f"round {index + 1} of {self.options.rounds}, {network}", end=":")
                for name in [name for name in order if name in by_engine]:
                    self.time(network, name)
                say("")

    def time(self, network: str, name: str) -> None:
        """Times one engine on one network once; drops the engine from the row where it fails."""
        try:
            line = run(self.command(network, name, self.options.seconds), self.env())
            found = json.loads(line.strip().splitlines()[-1])
            self.measured.times[network][name].append(round(found["median_ms"], 6))
        except Failed as error:
            self.drop(network, name, error)
        except (ValueError, LookupError):
            self.drop(network, name, "the program printed no JSON line with median_ms")
        else:
            self.outputs.setdefault(network, {})[name] = found.get("output", [])
            self.measured.isa = found.get("isa", self.measured.isa)
            say(f" {name} {tables.number(found['median_ms'])}", end="")

    def drop(self, network: str, name: str, reason: object) -> None:
        self.measured.fail(f"{TITLES[name]} on {network}", reason)
        del self.measured.times[network][name]

    def check_outputs(self) -> None:
        """Drops the times of an engine whose outputs differ from ONNX Runtime's."""
        for network, outputs in self.outputs.items():
            reference = outputs.get(tables.REFERENCE)
            for name, output in outputs.items():
                if not (reference and output and name in self.measured.times[network]):
                    continue
                difference = tables.relative_difference(output, reference)
                if difference > TOLERANCE:
                    reason = f"its outputs differ from ONNX Runtime's by {difference:.1%}"
                    self.drop(network, name, reason)

    def measure_memory(self) -> None:
        """Samples the peak memory of every engine on every network, less that of an empty start."""
        for network, by_engine in self.measured.times.items():
            say(f"memory, {network}")
            self.measured.peaks[network] = {}
            for name in by_engine:
                start = self.engines[name].start
                try:
                    peak = peak_kib(self.command(network, name, MEMORY_SECONDS), self.env())
                    empty = max(peak_kib(start, self.env()) for _ in range(EMPTY_STARTS))
                    self.measured.peaks[network][name] = round((peak - empty) / 1024, 1)
                except Failed as error:
                    self.measured.fail(f"memory of {TITLES[name]} on {network}", error)

    def command(self, network: str, name: str, seconds: float) -> list:
        engine, threads = self.engines[name], str(self.options.threads)
        if name == "receptive":
            flags = ["--batch", str(self.options.batch), "--threads", threads]
            flags += ["--seconds", str(seconds), "--json"]
            return [engine.start[0], "bench", INFERENCE[network][0], *flags]
        model = self.model(network, engine.suffix)
        return [*engine.start, model, self.shape(network), threads, str(seconds)]

    def shape(self, network: str) -> str:
        return f"{self.options.batch}x{INFERENCE[network][1]}"

    def env(self) -> dict[str, str]:
        threads = str(self.options.threads)
        return {**os.environ, "OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": threads}

    def measurement(self) -> results.Measurement:
        versions = {name: engine.version for name, engine in self.engines.items()}
        return self.measured.to_json("inference", self.options, versions, batch=self.options.batch)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    networks = comma_separated(INFERENCE)
    add("--networks", type=networks, default=list(INFERENCE), help="comma-separated")
    engines = comma_separated(install.INFERENCE)
    add("--engines", type=engines, default=install.INFERENCE, help="comma-separated")
    add("--batch", type=int, default=1, help="images of a forward pass (default 1)")
    add("--threads", type=int, default=cpus(), help="threads of each engine (default: all CPUs)")
    add_run_options(parser, seconds=2, rounds=5)
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    warn_of_load()
    try:
        comparison = Comparison(options, install.environment(options.venv))
        comparison.install()
        comparison.write_models()
        if not comparison.engines:
            raise Failed("no engine could be installed")
    except Failed as error:
        say(f"error: {error}")
        return 1
    comparison.measure()
    comparison.check_outputs()
    if options.memory:
        comparison.measure_memory()
    comparison.measured.finish(comparison.measurement(), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
