#include "custom_ops/channel_scale/cc/kernels/channel_scale_cpu.h"

#include <algorithm>

#include "custom_ops/common/cc/kernels/processor.h"

namespace sg_keras {
namespace {

constexpr int64_t kBlock = 64;  // pixels summed before they are added to the total: keeps rounding errors small

template <typename T>
SG_KERAS_INLINE void Scale(const T* x, const T* s, int64_t pixels, int64_t channels, T* y) {
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) Store(Load(x[p * channels + c]) * Load(s[c]), &y[p * channels + c]);
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void Dot(const T* a, const T* b, int64_t pixels, int64_t channels, A* __restrict__ block_sum,
                         A* __restrict__ sum) {
  std::fill(sum, sum + channels, A(0));
  for (int64_t start = 0; start < pixels; start += kBlock) {
    std::fill(block_sum, block_sum + channels, A(0));
    for (int64_t p = start; p < std::min(start + kBlock, pixels); ++p) {
      const T* a_pixel = a + p * channels;
      const T* b_pixel = b + p * channels;
      for (int64_t c = 0; c < channels; ++c) block_sum[c] += Load(a_pixel[c]) * Load(b_pixel[c]);
    }
    for (int64_t c = 0; c < channels; ++c) sum[c] += block_sum[c];
  }
}

}  // namespace

template <typename T>
void ScalePixels(const T* x, const T* s, int64_t pixels, int64_t channels, T* y) {
  OnProcessors<Scale<T>>::Run(x, s, pixels, channels, y);
}

template <typename T>
void DotPixels(const T* a, const T* b, int64_t pixels, int64_t channels, typename Computation<T>::Type* block_sum,
               typename Computation<T>::Type* sum) {
  OnProcessors<Dot<T, typename Computation<T>::Type>>::Run(a, b, pixels, channels, block_sum, sum);
}

#define INSTANTIATE(T)                                                             \
  template void ScalePixels<T>(const T*, const T*, int64_t, int64_t, T*);          \
  template void DotPixels<T>(const T*, const T*, int64_t, int64_t, typename Computation<T>::Type*, \
                             typename Computation<T>::Type*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(BFloat16Bits)
#undef INSTANTIATE

}  // namespace sg_keras
