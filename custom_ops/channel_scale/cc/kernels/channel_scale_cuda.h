/* channel_scale and its gradient on GPUs: plain C launchers. channel_scale_cpu.h describes the arithmetic.

Arrays are on the device, channels-last and dense; `type` is an SgKerasType. Launchers return a cudaError_t, 0 where the
kernels were launched on the stream. Empty arrays are welcome. */

#ifndef CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CUDA_H_
#define CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CUDA_H_

#include "custom_ops/common/cc/kernels/cuda_api.h"

/* y[n, p, c] = x[n, p, c] * s[n, c]; y may be x. */
struct SgKerasChannelScale {
  int32_t type;
  int64_t images;
  int64_t pixels;
  int64_t channels;
  const void* x;
  const void* s;
  void* y;
};

/* s[n, c] = sum over pixels of a[n, p, c] * b[n, p, c]. */
struct SgKerasChannelDot {
  int32_t type;
  int64_t images;
  int64_t pixels;
  int64_t channels;
  const void* a;
  const void* b;
  void* s;
  void* workspace; /* so many bytes as sg_keras_cuda_channel_dot_workspace says */
};

SG_KERAS_CUDA_API int sg_keras_cuda_channel_scale(const struct SgKerasChannelScale* call, void* stream);
SG_KERAS_CUDA_API int sg_keras_cuda_channel_dot(const struct SgKerasChannelDot* call, void* stream);
SG_KERAS_CUDA_API int64_t sg_keras_cuda_channel_dot_workspace(const struct SgKerasChannelDot* call);

#endif /* CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CUDA_H_ */
