// Texts of the launchers' error codes, and the emulator's switches.

#include "custom_ops/common/cc/kernels/cuda_api.h"
#include "custom_ops/common/cc/kernels/cuda_platform.h"

const char* sg_keras_cuda_error_text(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

#if defined(SG_KERAS_CUDA_EMULATION)
SG_KERAS_CUDA_API void sg_keras_emulation_set_descending(int descending) {
  sg_keras::emulation::SetDescending(descending != 0);
}

SG_KERAS_CUDA_API void sg_keras_emulation_set_most_blocks(int64_t blocks) {
  sg_keras::emulation::SetMostBlocks(static_cast<unsigned>(blocks));
}
#endif
