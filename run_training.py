"""Train a StyleGAN: `python run_training.py --help`."""

import sys

from sg_keras.tools.train import main

if __name__ == "__main__":
    sys.exit(main())
