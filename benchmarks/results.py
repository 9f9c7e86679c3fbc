"""Result files: `results/MACHINE-COMMIT.json`, the measurements of one program on one machine.

A file holds:

    schema         1
    machine        slug of the processor and the number of threads, such as `emerald-rapids-2t`
    commit         of the measured program, with `-dirty` where its tree had uncommitted changes
    processor      name, microarchitecture, instruction sets, CPUs, hardware threads per core
    threads        of every engine
    system         operating system and architecture
    measurements   a list, the oldest first

A measurement is one run of `compare.py` or `training.py`:

    kind           `inference` or `training`
    date           when the run began, ISO 8601, UTC
    options        of the command line: networks, seconds, rounds, memory; `batch` for inference
    load_average   of the last minute before the run
    batches        images of a training step, by network
    engines        version of each engine
    isa            instruction set of Receptive's kernels, where its program prints it
    round_ms       network -> engine -> median milliseconds of each round
    peak_mib       network -> engine -> peak memory in MiB (with `--memory`)
    errors         what could not be measured -> reason
"""

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
SCHEMA = 1

# The parsed JSON of a result file, and of one of its measurements.
Result = dict[str, Any]
Measurement = dict[str, Any]


class InvalidResult(Exception):
    """A result file does not have the structure that this module documents."""


def now() -> str:
    """The present time as results write it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def head_commit(root: Path = ROOT) -> str:
    """The short hash of the checked-out commit, with `-dirty` where the program differs from it.

    Changes of documents and benchmarks do not count: they do not change the program.
    """
    commit = git(root, "rev-parse", "--short=7", "HEAD") or "unknown"
    excluded = [":(exclude)benchmarks", ":(exclude)docs", ":(exclude,glob)**/*.md"]
    changed = git(root, "status", "--porcelain", "--", ".", *excluded)
    return f"{commit}-dirty" if changed else commit


def git(root: Path, *arguments: str) -> str:
    """The standard output of a git command; an empty string where it fails."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def new_result(machine_slug: str, commit: str, threads: int) -> Result:
    """A result of this machine without measurements."""
    return {
        "schema": SCHEMA,
        "machine": machine_slug,
        "commit": commit,
        "processor": machine.processor().to_json(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "measurements": [],
    }


def default_path(result: Result, folder: Path = RESULTS) -> Path:
    return folder / f"{result['machine']}-{result['commit']}.json"


def save(result: Result, path: Path) -> Path:
    """Writes the result, after the measurements of the file's same machine and commit, if any."""
    if path.exists():
        old = read(path)
        if (old["machine"], old["commit"]) == (result["machine"], result["commit"]):
            result = merged(old, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    return path


def merged(old: Result, new: Result) -> Result:
    """The measurements of both; those of `old` that `new` measured again are dropped."""
    kept = [
        measurement
        for measurement in old["measurements"]
        if not any(supersedes(later, measurement) for later in new["measurements"])
    ]
    measurements = sorted(kept + new["measurements"], key=lambda m: m["date"])
    return {**new, "measurements": measurements}


def supersedes(new: Measurement, old: Measurement) -> bool:
    """Whether `new` measured everything that `old` did: networks, engines, memory."""
    return (
        new["kind"] == old["kind"]
        and new["options"].get("batch") == old["options"].get("batch")
        and is_covered(old["round_ms"], new["round_ms"])
        and is_covered(old["peak_mib"], new["peak_mib"])
    )


def is_covered(old: dict[str, dict], new: dict[str, dict]) -> bool:
    """Whether `new` has every network and engine of `old`."""
    return all(network in new and old[network].keys() <= new[network].keys() for network in old)


def read(path: Path) -> Result:
    """Reads and validates a result file.

    Raises InvalidResult with the file's name and the reason.
    """
    try:
        result = json.loads(path.read_text())
        validate(result)
    except (OSError, ValueError, LookupError, TypeError, InvalidResult) as error:
        raise InvalidResult(f"{path.name}: {type(error).__name__}: {error}") from error
    return result


def validate(result: Result) -> None:
    """Checks the keys and types that `report.py` reads."""
    if result["schema"] != SCHEMA:
        raise InvalidResult(f"schema {result['schema']}, expected {SCHEMA}")
    for key in ("machine", "commit"):
        require(isinstance(result[key], str), key)
    require(isinstance(result["threads"], int), "threads")
    require(isinstance(result["processor"]["name"], str), "processor.name")
    for measurement in result["measurements"]:
        require(measurement["kind"] in ("inference", "training"), "kind")
        datetime.fromisoformat(measurement["date"])
        require(isinstance(measurement["options"]["seconds"], int | float), "options.seconds")
        require(isinstance(measurement["options"]["rounds"], int), "options.rounds")
        require(isinstance(measurement["engines"], dict), "engines")
        require(isinstance(measurement["errors"], dict), "errors")
        if measurement["kind"] == "inference":
            require(isinstance(measurement["options"]["batch"], int), "options.batch")
        else:
            require(measurement["batches"].keys() >= measurement["round_ms"].keys(), "batches")
        for by_engine in measurement["round_ms"].values():
            for engine, rounds in by_engine.items():
                require(isinstance(rounds, list) and all(is_ms(ms) for ms in rounds), engine)
        for by_engine in measurement["peak_mib"].values():
            require(all(isinstance(mib, int | float) for mib in by_engine.values()), "peak_mib")


def require(condition: bool, key: str) -> None:
    if not condition:
        raise InvalidResult(f"invalid {key}")


def is_ms(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def read_all(folder: Path = RESULTS) -> list[Result]:
    """Every result of a folder, the newest first.

    Raises InvalidResult for a file that is not a result or has another machine's or commit's name.
    """
    results = []
    for path in sorted(folder.glob("*.json")):
        result = read(path)
        if path != default_path(result, folder):
            expected = default_path(result, folder).name
            raise InvalidResult(f"{path.name}: expected the name {expected}")
        results.append(result)
    return sorted(results, key=last_date, reverse=True)


def last_date(result: Result) -> str:
    """The date of the newest measurement."""
    return max((measurement["date"] for measurement in result["measurements"]), default="")
