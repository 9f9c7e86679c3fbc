"""Times one model in one Python engine: `python worker.py ENGINE MODEL SHAPE THREADS SECONDS`.

Prints a JSON line: the median milliseconds of a forward pass, those of loading the model, and the
first outputs. Without MODEL the script only imports the engine: memory is measured above that of this
empty start.
"""

import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Run = Callable[[], np.ndarray]


def onnxruntime(model: Path, x: np.ndarray, threads: int) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_free_dimension_override_by_name("N", len(x))
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})[0]


def openvino(model: Path, x: np.ndarray, threads: int) -> Run:
    import openvino as ov

    core = ov.Core()
    graph = core.read_model(model)
    graph.reshape(list(x.shape))
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # The default is bfloat16 on processors that have it.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(graph, "CPU", config).create_infer_request()
    return lambda: request.infer(x, share_inputs=True, share_outputs=True)[0]


def ncnn(model: Path, x: np.ndarray, threads: int) -> Run:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    for option in dir(net.opt):
        if option.startswith(("use_fp16", "use_bf16")):
            setattr(net.opt, option, False)
    if net.load_param(str(model)) or net.load_model(str(model.with_suffix(".bin"))):
        raise RuntimeError(f"ncnn cannot read {model}")

    def run() -> np.ndarray:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(x, batch_index=0))
        status, y = extractor.extract("out0")
        if status:
            raise RuntimeError(f"ncnn's extract returned {status}")
        return y.numpy(batch_index=0)

    return run


def pytorch(model: Path, x: np.ndarray, threads: int) -> Run:
    import torch

    torch.set_num_threads(threads)
    module = torch.load(model, weights_only=False)
    images = torch.from_numpy(x).to(memory_format=torch.channels_last)

    def run() -> np.ndarray:
        with torch.inference_mode():
            return module(images).numpy()

    return run


# Each engine's loader, and the modules that its empty start imports.
ENGINES = {
    "onnxruntime": (onnxruntime, ["onnxruntime"]),
    "openvino": (openvino, ["openvino"]),
    "ncnn": (ncnn, ["ncnn"]),
    "pytorch": (pytorch, ["torch", "onnx2torch"]),
}


def image(shape: list[int]) -> np.ndarray:
    """The input of every engine: a permuted cycle of 101 values from -1 to 1."""
    return (np.arange(math.prod(shape)) * 37 % 101 / 50 - 1).astype(np.float32).reshape(shape)


def median_ms(run: Run, seconds: float) -> float:
    """Calls `run` for so many seconds, at least five times; the median milliseconds of a call."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def main() -> None:
    load, modules = ENGINES[sys.argv[1]]
    for module in modules:
        importlib.import_module(module)
    if len(sys.argv) == 2:
        return
    model, shape, threads, seconds = sys.argv[2:]
    x = image([int(n) for n in shape.split("x")])
    start = time.perf_counter()
    run = load(Path(model), x, int(threads))
    load_ms = (time.perf_counter() - start) * 1e3
    run()
    found = {
        "median_ms": round(median_ms(run, float(seconds)), 4),
        "load_ms": round(load_ms, 3),
        "output": [float(y) for y in run().ravel()[:10]],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
