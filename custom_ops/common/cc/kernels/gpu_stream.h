// What the GPU OpKernels share: TensorFlow's stream as the launchers take it, and their errors as statuses. Needs no
// CUDA headers, and compiles against the CPU wheel of TensorFlow.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_GPU_STREAM_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_GPU_STREAM_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "custom_ops/common/cc/kernels/cuda_api.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "xla/stream_executor/stream.h"

namespace sg_keras {

// The cudaStream_t on which the op has to run.
inline void* GpuStream(tensorflow::OpKernelContext* context) {
  return context->op_device_context()->stream()->platform_specific_handle().stream;
}

// The status of what a launcher returned.
inline absl::Status GpuStatus(const char* launcher, int error) {
  if (error == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(launcher, ": CUDA error ", error, ", ", sg_keras_cuda_error_text(error)));
}

// The element type's code in the launchers' parameters.
template <typename T>
constexpr int32_t GpuType();
template <>
constexpr int32_t GpuType<float>() {
  return SG_KERAS_FLOAT32;
}
template <>
constexpr int32_t GpuType<double>() {
  return SG_KERAS_FLOAT64;
}
template <>
constexpr int32_t GpuType<Eigen::half>() {
  return SG_KERAS_FLOAT16;
}
template <>
constexpr int32_t GpuType<tensorflow::bfloat16>() {
  return SG_KERAS_BFLOAT16;
}

inline const void* GpuData(const tensorflow::Tensor& tensor) { return tensor.data(); }
inline void* GpuData(tensorflow::Tensor* tensor) { return tensor->data(); }

// Memory for a launcher's workspace, which TensorFlow takes back in the stream's order.
inline absl::Status AllocateWorkspace(tensorflow::OpKernelContext* context, int64_t bytes,
                                      tensorflow::Tensor* workspace) {
  return context->allocate_temp(tensorflow::DT_UINT8, tensorflow::TensorShape({bytes}), workspace);
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_GPU_STREAM_H_
