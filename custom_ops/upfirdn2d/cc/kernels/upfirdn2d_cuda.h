/* upfirdn2d on GPUs: a plain C launcher. upfirdn2d_ops.cc describes the map.

x and y are on the device, channels-last and dense; `type` is an SgKerasType; pairs are (y, x). The filter is given in
host memory, as it is applied (flipped if asked), and may be freed after the call. Returns a cudaError_t, 0 where the
kernel was launched on the stream; filters of more than about 10,000 taps an axis or matrix are refused. */

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CUDA_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CUDA_H_

#include "custom_ops/common/cc/kernels/cuda_api.h"

struct SgKerasUpfirdn2d {
  int32_t type;
  int64_t images;
  int64_t channels;
  int64_t size[2]; /* of x */
  int64_t result_size[2];
  int64_t up[2];
  int64_t down[2];
  int64_t pad_before[2];
  int64_t filter_size[2];
  const double* filter_y; /* of a separable filter, or null */
  const double* filter_x;
  const double* filter; /* a matrix, row by row, or null */
  const void* x;
  void* y;
  void* workspace; /* so many bytes as sg_keras_cuda_upfirdn2d_workspace says; none but for long filters */
};

SG_KERAS_CUDA_API int sg_keras_cuda_upfirdn2d(const struct SgKerasUpfirdn2d* call, void* stream);
SG_KERAS_CUDA_API int64_t sg_keras_cuda_upfirdn2d_workspace(const struct SgKerasUpfirdn2d* call);

#endif /* CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CUDA_H_ */
