"""Training: the StyleGAN model, its phases and random numbers, the run around it."""
