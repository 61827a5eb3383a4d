// The arithmetic of channel_scale on channels-last images, free of TensorFlow.

#ifndef CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CPU_H_
#define CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CPU_H_

#include <cstdint>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

namespace sg_keras {

// y[p, c] = x[p, c] * s[c] for p < pixels. x and y may be the same memory.
template <typename T>
void ScalePixels(const T* x, const T* s, int64_t pixels, int64_t channels, T* y);

// sum[c] = sum over p < pixels of a[p, c] * b[p, c]; `block_sum` is scratch of as many channels.
template <typename T>
void DotPixels(const T* a, const T* b, int64_t pixels, int64_t channels, typename Computation<T>::Type* block_sum,
               typename Computation<T>::Type* sum);

}  // namespace sg_keras

#endif  // CUSTOM_OPS_CHANNEL_SCALE_CC_KERNELS_CHANNEL_SCALE_CPU_H_
