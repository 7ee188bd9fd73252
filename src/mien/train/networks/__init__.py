"""The networks that can be trained, ours and those of the papers.

Every network takes RGB images (n, 3, h, w) float32, normalized as :mod:`mien.train.networks.normalize` says.
``Paper*`` networks follow Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (L-Net: the authors' later release) as published; ``Mien*`` are ours, with the same interfaces:
strided convolutions instead of pooling, ReLU, batch normalization.
"""
