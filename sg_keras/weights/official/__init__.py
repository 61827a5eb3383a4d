"""Official network files: pickles of StyleGAN2-ADA (PyTorch, TensorFlow 1) and StyleGAN3, read without running them.

Reading order: bounded_reader (what a file may cost) and pickle_machine (instructions to plain values), both in
sg_keras.files; pickled_arrays in sg_keras.data; plain_values (the names that a file may use), torch_storages (tensors),
official_pickle (a file), torch_networks and tensorflow_networks (values to networks); plain_pickle is what version 0.1
of ours wrote, torch_checkpoint reads tensors of other networks' files. The way back: torch_file and tensorflow_file
(networks to values), pickle_writer (values to instructions), official_file (a file).
"""

from sg_keras.weights.official.official_pickle import read_official_pickle

__all__ = ["read_official_pickle"]
