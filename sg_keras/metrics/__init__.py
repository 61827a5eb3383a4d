"""Scores of generated images, as arithmetic on features and images: functions that know of no network and no file."""

from sg_keras.metrics.bootstrap import bootstrap_interval as bootstrap_interval
from sg_keras.metrics.bootstrap import interval_of_mean as interval_of_mean
from sg_keras.metrics.frechet import FeatureMoments as FeatureMoments
from sg_keras.metrics.frechet import frechet_distance as frechet_distance
from sg_keras.metrics.inception_score import inception_score as inception_score
from sg_keras.metrics.kernel_distance import kernel_distance as kernel_distance
from sg_keras.metrics.kernel_distance import subset_kernel_distances as subset_kernel_distances
from sg_keras.metrics.memorisation import authenticity as authenticity
from sg_keras.metrics.neighbours import k_nearest as k_nearest
from sg_keras.metrics.path_length import mean_without_outliers as mean_without_outliers
from sg_keras.metrics.precision_recall import density_coverage as density_coverage
from sg_keras.metrics.precision_recall import precision_recall as precision_recall
from sg_keras.metrics.sliced_distance import mind as mind
