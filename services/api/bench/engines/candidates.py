"""Candidates: engines that compute logits from token ids, each with the best settings that its documentation names.

Each function imports what its candidate needs, so that the candidates can have environments of their own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
"""Token ids with special tokens, [batch, tokens]."""
Run: TypeAlias = Callable[[Ids], object]

ONNX, ONNX_INT8, OPENVINO_INT8 = "model.onnx", "model_quantized.onnx", "openvino_int8.xml"
"""The files that `bench.engines.convert` writes."""


def kernel(model: Path, _work: Path) -> Run:
    """Load the native engine of this service."""
    from src.sentiment_analyzer.checkpoint import open_checkpoint
    from src.sentiment_analyzer.engines.engine import open_engine

    engine = open_engine(open_checkpoint(str(model)))
    if not engine.name.startswith("kernel"):
        raise RuntimeError("no compiled kernel runs on this processor: run `make kernel`")
    return lambda ids: engine.logits([row[1:-1] for row in ids.tolist()])


def pytorch_int8(model: Path, _work: Path) -> Run:
    """Load the engine of this service where the kernel does not run."""
    return _pytorch(model, quantized=True)


def pytorch_float32(model: Path, _work: Path) -> Run:
    """Load the same engine in float32."""
    return _pytorch(model, quantized=False)


def _pytorch(model: Path, *, quantized: bool) -> Run:
    from src.sentiment_analyzer.checkpoint import open_checkpoint
    from src.sentiment_analyzer.engines.pytorch import TorchEngine

    engine = TorchEngine(open_checkpoint(str(model)), quantized=quantized)
    return lambda ids: engine.logits([row[1:-1] for row in ids.tolist()])


def transformers_float32(model: Path, _work: Path) -> Run:
    """Load eager PyTorch on all cores, the engine of `transformers.pipeline`."""
    import torch
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()

    def run(ids: Ids) -> object:
        with torch.inference_mode():
            tensor = torch.from_numpy(ids)
            return network(input_ids=tensor, attention_mask=torch.ones_like(tensor)).logits

    return run


def onnxruntime_dynamic(_model: Path, work: Path) -> Run:
    """Load ONNX Runtime: dynamic int8 with a scale per output, and the default of one thread per core."""
    import onnxruntime

    session = onnxruntime.InferenceSession(work / ONNX_INT8, providers=["CPUExecutionProvider"])
    return lambda ids: session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})


def openvino_static(_model: Path, work: Path) -> Run:
    """Load OpenVINO: static int8 by NNCF's recipe for transformers.

    One stream uses all cores. For one batch at a time this is faster than a stream per core (docs/performance.md).
    """
    import openvino

    compiled = openvino.Core().compile_model(work / OPENVINO_INT8, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return lambda ids: request.infer({"input_ids": ids, "attention_mask": np.ones_like(ids)})


OWN = (kernel, pytorch_int8, pytorch_float32)
PEERS = (transformers_float32, onnxruntime_dynamic, openvino_static)
BY_NAME = {candidate.__name__: candidate for candidate in (*OWN, *PEERS)}
