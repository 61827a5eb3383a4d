/* filtered_lrelu on GPUs: a plain C launcher. filtered_lrelu_cpu.h describes the arithmetic.

internal[u] = sum over j of up_filter[j] * upsampled[u + j - pad_up], `upsampled` being x + bias with up-1 zeros after
each pixel; then clamp(gain * leaky_relu(internal)), or, `masked`, internal times gain and the slopes of the mask;
y[o] = sum over j of down_filter[j] * internal[o * down + j - pad_down]; zeros outside.

Bit c of a word of the mask says that channel c of the 16 was not above 0, bit 16 + c that it was clamped.

Arrays are on the device, channels-last and dense, but for the filters; `type` is an SgKerasType. Returns a cudaError_t,
0 where the kernels were launched on the stream; cudaErrorInvalidValue for filters of more than 1024 taps or of which no
tile fits into shared memory. Empty arrays are welcome. */

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_H_

#include "custom_ops/common/cc/kernels/cuda_api.h"

struct SgKerasFilteredLrelu {
  int32_t type;
  int32_t masked; /* 0: the mask is written, 1: read */
  int64_t images;
  int64_t channels;
  int64_t input_height;
  int64_t input_width;
  int64_t internal_height;
  int64_t internal_width;
  int64_t output_height;
  int64_t output_width;
  int64_t up;
  int64_t down;
  int64_t pad_up_y;
  int64_t pad_up_x;
  int64_t pad_down_y;
  int64_t pad_down_x;
  int64_t up_filter_height;
  int64_t up_filter_width;
  int64_t down_filter_height;
  int64_t down_filter_width;
  int32_t up_separable;      /* 1: up_filter holds the taps of the rows (vertical), then those of the columns */
  int32_t down_separable;    /* 0: a matrix, row by row */
  const double* up_filter;   /* on the host, as they are applied (correlation) */
  const double* down_filter; /* likewise */
  double gain;
  double slope;
  double clamp; /* infinite: none */
  const void* x;
  const void* bias; /* [channels], or null */
  void* y;
  void* mask;      /* uint32 [images, (channels + 15) / 16, internal_height, internal_width] */
  void* sums;      /* [channels] sums of y over all pixels, of the type of y; null: not wanted */
  void* workspace; /* so many bytes as sg_keras_cuda_filtered_lrelu_workspace says */
};

SG_KERAS_CUDA_API int sg_keras_cuda_filtered_lrelu(const struct SgKerasFilteredLrelu* call, void* stream);
SG_KERAS_CUDA_API int64_t sg_keras_cuda_filtered_lrelu_workspace(const struct SgKerasFilteredLrelu* call);

#endif /* CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_H_ */
