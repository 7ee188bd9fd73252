"""Training: the only package that imports torch. Its one output is an .onnx file per network."""
