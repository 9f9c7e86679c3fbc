#!/usr/bin/env python3
"""Times `receptive bench` and its peers on this machine, in turn, and prints a table.

    python3 benchmarks/compare.py
    python3 benchmarks/compare.py --networks vgg16,resnet50 --engines receptive,onnxruntime --rounds 3

Needs Python 3.11, Cargo and, the first time, the network: see README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

import install
import report
from install import HERE, TITLES, Engine
from process import Failed, peak_kib, run

# Each network's name in `receptive`, and the shape of an image.
NETWORKS = {
    "lenet5": ("lenet5", "1x32x32"),
    "alexnet": ("alexnet-torchvision", "3x224x224"),
    "vgg16": ("vgg16", "3x224x224"),
    "googlenet": ("googlenet", "3x224x224"),
    "resnet18": ("resnet18", "3x224x224"),
    "resnet50": ("resnet50", "3x224x224"),
    "resnet152": ("resnet152", "3x224x224"),
    "mobilenetv1": ("mobilenet-v1", "3x224x224"),
}
# Of outputs, over the largest: float32 and Winograd stay far below, half precision does not.
TOLERANCE = 1e-3
# The memory's peak is reached in the first runs.
MEMORY_SECONDS = 0.5


@dataclass
class Comparison:
    options: argparse.Namespace
    cache: Path
    python: Path
    engines: dict[str, Engine] = field(default_factory=dict)
    times: report.Times = field(default_factory=dict)
    peaks: dict[str, dict[str, float]] = field(default_factory=dict)
    outputs: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    # Why an engine, or an engine on a network, is not in the table.
    left_out: dict[str, str] = field(default_factory=dict)

    def install(self) -> None:
        for name in self.options.engines:
            say(f"{TITLES[name]}: preparing")
            try:
                if name == "receptive":
                    engine = install.receptive(self.options.receptive)
                elif name in install.PACKAGES:
                    engine = install.python_engine(name, self.python)
                else:
                    engine = install.rust_engine(name, self.cache / "peers")
                run(engine.start, self.env())
                self.engines[name] = engine
            except Failed as error:
                self.leave_out(TITLES[name], error)

    def prepare(self) -> None:
        """Writes the models, each in the forms that the engines read."""
        for network in self.options.networks:
            self.model(network, ".onnx")
            self.times[network] = {}
            for name, engine in self.engines.items():
                try:
                    self.model(network, engine.suffix)
                    self.times[network][name] = []
                except Failed as error:
                    self.leave_out(f"{TITLES[name]} on {network}", error)

    def model(self, network: str, suffix: str) -> Path:
        # A change of any of these makes other models.
        graph, recipe = HERE / "graphs" / f"{network}.onnx", HERE / "models.py"
        parts = [path.read_bytes() for path in (graph, recipe, install.PINS)]
        digest = hashlib.sha256(b"".join(parts)).hexdigest()[:12]
        folder = self.cache / "models" / digest
        path = folder / (network + suffix)
        if not path.exists():
            command = [self.python, "-P", recipe, graph, path, self.shape(network)]
            run(command, self.env())
        return path

    def measure(self) -> None:
        names = list(self.engines)
        for turn in range(self.options.rounds):
            # Nobody always follows the same engine.
            order = names[turn % len(names) :] + names[: turn % len(names)]
            for network, by_engine in self.times.items():
                say(f"round {turn + 1} of {self.options.rounds}, {network}", end=":")
                for name in [name for name in order if name in by_engine]:
                    self.time(network, name)
                say("")

    def time(self, network: str, name: str) -> None:
        try:
            line = run(self.command(network, name, self.options.seconds), self.env())
            result = json.loads(line.strip().splitlines()[-1])
            self.times[network][name].append(result["median_ms"])
            self.outputs.setdefault(network, {})[name] = result.get("output", [])
            say(f" {name} {report.number(result['median_ms'])}", end="")
        except Failed as error:
            self.leave_out(f"{TITLES[name]} on {network}", error)
            del self.times[network][name]
        except (ValueError, LookupError):
            self.leave_out(f"{TITLES[name]} on {network}", "it printed no median_ms as JSON")
            del self.times[network][name]

    def check_outputs(self) -> None:
        """Drops the time of an engine that computed something else."""
        for network, outputs in self.outputs.items():
            reference = outputs.get(report.REFERENCE)
            for name, output in outputs.items():
                if not (reference and output and name in self.times[network]):
                    continue
                apart = report.departure(output, reference)
                if apart > TOLERANCE:
                    why = f"its output departs from ONNX Runtime's by {apart:.1%}"
                    self.leave_out(f"{TITLES[name]} on {network}", why)
                    del self.times[network][name]

    def measure_memory(self) -> None:
        for network, by_engine in self.times.items():
            say(f"memory, {network}")
            self.peaks[network] = {}
            for name in by_engine:
                try:
                    peak = peak_kib(self.command(network, name, MEMORY_SECONDS), self.env())
                    # One that ends at once is not always seen in time.
                    starts = [peak_kib(self.engines[name].start, self.env()) for _ in range(5)]
                    start = max(starts)
                    self.peaks[network][name] = round((peak - start) / 1024, 1)
                except Failed as error:
                    self.leave_out(f"{TITLES[name]} on {network}, memory", error)

    def command(self, network: str, name: str, seconds: float) -> list:
        engine, threads = self.engines[name], str(self.options.threads)
        if name == "receptive":
            flags = ["--batch", str(self.options.batch), "--threads", threads]
            flags += ["--seconds", str(seconds), "--json"]
            return [engine.start[0], "bench", NETWORKS[network][0], *flags]
        model = self.model(network, engine.suffix)
        return [*engine.start, model, self.shape(network), threads, str(seconds)]

    def shape(self, network: str) -> str:
        return f"{self.options.batch}x{NETWORKS[network][1]}"

    def env(self) -> dict[str, str]:
        threads = str(self.options.threads)
        return {**os.environ, "OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": threads}

    def leave_out(self, what: str, why: object) -> None:
        say(f"\n{what} is left out: {why}")
        self.left_out[what] = str(why)

    def markdown(self) -> str:
        options = self.options
        titles = {name: engine.title for name, engine in self.engines.items()}
        table = report.times_table(self.times, titles)
        parts = [
            f"{processor()}, {options.threads} threads, batch {options.batch}, float32.",
            f"Milliseconds of a forward pass, median over rounds ({options.rounds} of "
            + f"{options.seconds:g} s); in brackets the time over ONNX Runtime's.",
            table,
        ]
        if spread := report.widest_spread(self.times):
            share, name, network = spread
            parts.append(f"Widest spread of rounds: {share:.0%}, {TITLES[name]} on {network}.")
        if self.peaks:
            parts.append("Peak resident memory above that of the engine's empty start.")
            parts.append(report.memory_table(self.peaks, titles))
        if self.left_out:
            lines = [f"- {what}: {why}" for what, why in self.left_out.items()]
            parts.append("Left out:\n\n" + "\n".join(lines))
        return "\n\n".join(parts)

    def json(self) -> str:
        options = self.options
        results = {
            "processor": processor(),
            "cpus": cpus(),
            "system": platform.platform(),
            "batch": options.batch,
            "threads": options.threads,
            "seconds": options.seconds,
            "rounds": options.rounds,
            "engines": {name: engine.version for name, engine in self.engines.items()},
            "round_ms": self.times,
            "peak_mib": self.peaks,
            "left_out": self.left_out,
        }
        return json.dumps(results, indent=2) + "\n"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cpus() -> int:
    # Those this process may use, where the system tells.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def some_of(names: dict):
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in names]:
            message = f"no {', '.join(unknown)}; there are {', '.join(names)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return parse


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "receptive" / "benchmarks"


def parse_options() -> argparse.Namespace:
    cache = cache_folder()
    parser = argparse.ArgumentParser(description="Times receptive and its peers, in turn.")
    add = parser.add_argument
    add("--networks", type=some_of(NETWORKS), default=list(NETWORKS), help="comma-separated")
    add("--engines", type=some_of(TITLES), default=list(TITLES), help="comma-separated")
    add("--batch", type=int, default=1, help="images in a forward pass (default 1)")
    add("--threads", type=int, default=cpus(), help="of each engine (default: all CPUs)")
    add("--seconds", type=float, default=2, help="of one turn of one engine (default 2)")
    add("--rounds", type=int, default=5, help="turns of each engine (default 5)")
    add("--memory", action="store_true", help="measure peak memory as well (Linux)")
    add("--out", type=Path, default=Path("compare.json"), help="(default compare.json)")
    add("--venv", type=Path, default=cache / "venv", help=f"(default {cache}/venv)")
    add("--receptive", type=Path, metavar="PATH", help="a built program, instead of building")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    busy = os.getloadavg()[0]
    if busy > 0.2 * cpus():
        say(f"The machine is busy: load {busy:.1f} on {cpus()} CPUs. Expect noise.")
    try:
        python = install.environment(options.venv)
        comparison = Comparison(options, cache_folder(), python)
        comparison.install()
        comparison.prepare()
        if not comparison.engines:
            raise Failed("no engine can be had")
    except Failed as error:
        say(f"cannot begin: {error}")
        return 1
    comparison.measure()
    comparison.check_outputs()
    if options.memory:
        comparison.measure_memory()
    options.out.write_text(comparison.json())
    print(comparison.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
