"""Adaptive discriminator augmentation and DiffAugment. Not built yet: training runs with --aug=noaug."""
