"""Convert the model for ONNX Runtime and OpenVINO, quantized as their documentation recommends.

Run it in the peers' environment: `python -m bench.engines.convert MODEL WORK`.
"""

import csv
import sys
from pathlib import Path

import nncf
import openvino
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bench.engines.candidates import ONNX, ONNX_INT8, OPENVINO_INT8

CALIBRATION = Path(__file__).parents[2] / "test/data/reviews.tsv"


def main() -> None:
    """Write the files into the folder WORK."""
    model, work = map(Path, sys.argv[1:])
    work.mkdir(exist_ok=True)
    network = AutoModelForSequenceClassification.from_pretrained(
        model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    example = {name: torch.ones(2, 16, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    axes = {name: {0: "batch", 1: "tokens"} for name in example}
    torch.onnx.export(
        network, tuple(example.values()), work / ONNX, input_names=list(example), output_names=["logits"],
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(work / ONNX, work / ONNX_INT8, weight_type=QuantType.QInt8, per_channel=True)
    tokenizer = AutoTokenizer.from_pretrained(model)
    with CALIBRATION.open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    quantized = nncf.quantize(
        openvino.convert_model(network, example_input=example),
        nncf.Dataset(texts, lambda text: dict(tokenizer(text, truncation=True, max_length=512, return_tensors="np"))),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=300,
    )
    openvino.save_model(quantized, work / OPENVINO_INT8)


if __name__ == "__main__":
    main()
