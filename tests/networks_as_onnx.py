"""ONNX files for tests: small ones, and Keras networks of plain convolutions written as ONNX."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VERSIONS = {"opset_imports": [helper.make_opsetid("", 13)], "ir_version": 8}


def save(path, nodes, inputs, outputs, tensors=()):
    """Write a graph; inputs and outputs are (name, shape), or with a type behind."""

    def info(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes,
        "test",
        [info(*one) for one in inputs],
        [info(*one) for one in outputs],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in tensors],
    )
    onnx.save(helper.make_model(graph, **VERSIONS), str(path))
    return path


def colours(path, batch="n", size=("h", "w"), channels=3, kind=TensorProto.FLOAT, **more):
    """A network that gives its input back, channels first: a map of three channels."""
    nodes = [helper.make_node("Cast", ["pictures"], ["map"], to=TensorProto.FLOAT)]
    shape = [batch, channels, *size]
    return save(path, nodes, [("pictures", shape, kind)], [("map", shape)], **more)


def write_keras(model, path):
    """Write a Keras network of convolutions, normalisations, ReLU and sums, channels last."""
    names, nodes, tensors = {}, [], []

    def node(kind, given, out, **settings):
        nodes.append(helper.make_node(kind, given, [out], **settings))
        return out

    def constant(name, value):
        tensors.append((name, value))
        return name

    for layer in model.layers:
        kind, name = type(layer).__name__, layer.name
        given = [names[id(one)] for one in _sources(layer)] if kind != "InputLayer" else []
        if kind == "InputLayer":
            made = node("Transpose", ["pictures"], name, perm=[0, 3, 1, 2])
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            kernel = layer.get_weights()[0]
            depthwise = kind == "DepthwiseConv2D"
            order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
            made = node(
                "Conv",
                [*given, constant(f"{name}/kernel", kernel.transpose(order))],
                name,
                strides=list(layer.strides),
                auto_pad="SAME_UPPER",
                group=kernel.shape[2] if depthwise else 1,
            )
        elif kind == "BatchNormalization":
            parts = [constant(f"{name}/{n}", one) for n, one in enumerate(layer.get_weights())]
            made = node("BatchNormalization", [*given, *parts], name, epsilon=layer.epsilon)
        elif kind == "ReLU":
            limits = [constant(f"{name}/0", 0), constant(f"{name}/6", layer.max_value)]
            made = node("Clip", [*given, *limits], name)
        else:
            assert kind == "Add", kind
            made = node("Add", given, name)
        names[id(layer.output)] = made
    node("Transpose", [names[id(model.output)]], "maps", perm=[0, 2, 3, 1])
    height, width = model.input.shape[1:3]
    shape = ["n", *model.output.shape[1:]]
    return save(path, nodes, [("pictures", ["n", height, width, 3])], [("maps", shape)], tensors)


def _sources(layer):
    given = layer.input
    return given if isinstance(given, list) else [given]
