/* warp_affine and its derivatives on GPUs: plain C launchers. warp_affine_cpu.h describes the arithmetic.

Arrays are on the device, channels-last and dense; `type` is an SgKerasType, `matrix_type` that of the matrices (float32
or float64). Launchers return a cudaError_t, 0 where the kernels were launched on the stream. Empty arrays are
welcome. */

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CUDA_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CUDA_H_

#include "custom_ops/common/cc/kernels/cuda_api.h"

/* y = W(theta) x, and dx = W(theta)' dy. */
struct SgKerasWarpAffine {
  int32_t type;
  int32_t matrix_type;
  int64_t images;
  int64_t channels;
  int64_t input_height;
  int64_t input_width;
  int64_t output_height;
  int64_t output_width;
  const void* theta;  /* [images, 2, 3] */
  const void* source; /* x, [images, input_height, input_width, channels]; transposed: dy, [..., output_height, ...] */
  void* target;       /* y, or dx */
};

/* dtheta = the derivative of the sum of dy * W(theta) x by theta. */
struct SgKerasWarpAffineMatrixGradient {
  int32_t type;
  int32_t matrix_type;
  int64_t images;
  int64_t channels;
  int64_t input_height;
  int64_t input_width;
  int64_t output_height;
  int64_t output_width;
  const void* theta; /* [images, 2, 3] */
  const void* dy;
  const void* x;
  void* dtheta;    /* [images, 2, 3] */
  void* workspace; /* so many bytes as sg_keras_cuda_warp_affine_matrix_gradient_workspace says */
};

SG_KERAS_CUDA_API int sg_keras_cuda_warp_affine(const struct SgKerasWarpAffine* call, void* stream);
SG_KERAS_CUDA_API int sg_keras_cuda_warp_affine_transpose(const struct SgKerasWarpAffine* call, void* stream);
SG_KERAS_CUDA_API int sg_keras_cuda_warp_affine_matrix_gradient(const struct SgKerasWarpAffineMatrixGradient* call,
                                                                void* stream);
SG_KERAS_CUDA_API int64_t
sg_keras_cuda_warp_affine_matrix_gradient_workspace(const struct SgKerasWarpAffineMatrixGradient* call);

#endif /* CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CUDA_H_ */
