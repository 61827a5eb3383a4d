"""One iteration of training: state and networks, the phases on them, StyleGAN on top."""
