// The CUDA kernels of filtered_lrelu for StyleGAN3's separable filters: see filtered_lrelu_strips_cuda.cu.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIPS_CUDA_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIPS_CUDA_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

// Whether there is a kernel for the call.
bool FitsStrips(const SgKerasFilteredLrelu& call);

// Launches it; returns a cudaError_t. Partial sums, [SumPartsOfStrips()][channels] floats, go to the workspace.
int LaunchStrips(const SgKerasFilteredLrelu& call, void* stream);
int64_t SumPartsOfStrips(const SgKerasFilteredLrelu& call);

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIPS_CUDA_H_
