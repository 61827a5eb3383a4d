"""Train a StyleGAN: `python run_training.py --help`."""

import sys

try:
    from sg_keras.tools.train import main
except KeyboardInterrupt:  # in the first moments; from then on sg_keras.tools looks after interrupts
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
