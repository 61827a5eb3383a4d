// What the launchers of filtered_lrelu's CUDA kernels share: reading a call, ordering taps.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_HOST_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_HOST_H_

#include <vector>

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_images.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

inline int64_t DivideUp64(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t RoundUp(int64_t a, int64_t b) { return DivideUp64(a, b) * b; }

inline bool FitsWordsOf(int32_t type, int64_t channels, const void* images) {
  bool fits = false;
  WithType(type, [&](auto element) {
    fits = FitsWords<decltype(element)>(channels, images);
    return 0;
  });
  return fits;
}

inline Images InputOf(const SgKerasFilteredLrelu& call) {
  Images images = {};
  images.type = call.type;
  images.height = static_cast<int>(call.input_height);
  images.width = static_cast<int>(call.input_width);
  images.channels = static_cast<int>(call.channels);
  images.packed = FitsWordsOf(call.type, call.channels, call.x);
  images.source = call.x;
  images.bias = call.bias;
  return images;
}

inline Images OutputOf(const SgKerasFilteredLrelu& call) {
  Images images = {};
  images.type = call.type;
  images.height = static_cast<int>(call.output_height);
  images.width = static_cast<int>(call.output_width);
  images.channels = static_cast<int>(call.channels);
  images.target = call.y;
  return images;
}

// Weights [phase][tap] of a line of taps, which upsampling has it apply to every up-th pixel.
inline std::vector<double> Phases(const double* taps, int64_t count, int64_t up, int64_t phase_taps) {
  std::vector<double> weights(up * phase_taps);
  for (int64_t i = 0; i < count; ++i) weights[i % up * phase_taps + i / up] = taps[i];
  return weights;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_HOST_H_
