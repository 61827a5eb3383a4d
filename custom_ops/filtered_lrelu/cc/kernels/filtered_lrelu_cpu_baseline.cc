// filtered_lrelu for any processor.

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_processors.h"

#define SG_KERAS_PROCESSOR baseline
#define SG_KERAS_REGISTER_BYTES 16
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_run.h"
