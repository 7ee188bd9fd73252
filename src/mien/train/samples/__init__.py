"""What networks are trained on: images with faces, views of them, augmentation, crops, mined examples."""
