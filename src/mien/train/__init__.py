"""Training: the only room that imports torch. What crosses back to inference is one .onnx file a network."""
