// filtered_lrelu for processors with AVX-512.

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_processors.h"

#if defined(SG_KERAS_HAS_AVX)

#include <immintrin.h>

#include <cstring>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")
#define SG_KERAS_PROCESSOR avx512
#define SG_KERAS_REGISTER_BYTES 64
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_run.h"
#pragma GCC pop_options

#endif
