#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_lines_cpu.h"

#include <algorithm>

#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_products_cpu.h"

namespace sg_keras {
namespace {

// ------------------------------------------------------------------------------------------ vertical pass

#define SG_KERAS_READ(...) [=](int64_t t, int64_t i) __attribute__((always_inline)) { __VA_ARGS__; }

template <int kTaps, typename T, typename A>
SG_KERAS_INLINE void Combine(const T* const* rows, const A* weights, int64_t count, const NextRows<T>& next, A* out) {
  const T* r[kTaps];
  for (int t = 0; t < kTaps; ++t) r[t] = rows[t];
  const auto read = [&r, &next](int64_t t, int64_t i) __attribute__((always_inline)) {
    if (t == 0) {
      __builtin_prefetch(next.first + i);
      __builtin_prefetch(next.second + i);
    }
    return r[t] + i;
  };
  SumProducts<kTaps, false>(read, weights, count, out);
}

template <typename T, typename A>
SG_KERAS_INLINE void CombineAny(const T* const* rows, const A* weights, int64_t taps, int64_t count,
                                const NextRows<T>& next, A* out) {
  switch (taps) {
    case 1:
      return Combine<1>(rows, weights, count, next, out);
    case 2:
      return Combine<2>(rows, weights, count, next, out);
    case 3:
      return Combine<3>(rows, weights, count, next, out);
    case 4:
      return Combine<4>(rows, weights, count, next, out);
    default:
      return SumProductsAny<false>(SG_KERAS_READ(return rows[t] + i), weights, taps, count, out);
  }
}

// Bfloat16 numbers are left to the compiler, which loads half a register of them better than whole ones. out (+)= sums.
template <int kTaps, bool kAdd>
SG_KERAS_INLINE void CombineHalves(const BFloat16Bits* const* rows, const float* weights, int64_t count,
                                   float* __restrict__ out) {
  const BFloat16Bits* r[kTaps];
  float w[kTaps];
  for (int t = 0; t < kTaps; ++t) r[t] = rows[t];
  for (int t = 0; t < kTaps; ++t) w[t] = weights[t];
  for (int64_t i = 0; i < count; ++i) {
    float sum = w[0] * Load(r[0][i]);
#pragma GCC unroll 4
    for (int t = 1; t < kTaps; ++t) sum += w[t] * Load(r[t][i]);
    out[i] = kAdd ? out[i] + sum : sum;
  }
}

SG_KERAS_INLINE void CombineAny(const BFloat16Bits* const* rows, const float* weights, int64_t taps, int64_t count,
                                const NextRows<BFloat16Bits>& next, float* out) {
  constexpr int64_t kLine = 64 / sizeof(BFloat16Bits);
  for (int64_t i = 0; i < count; i += kLine) {
    __builtin_prefetch(next.first + i);
    __builtin_prefetch(next.second + i);
  }
  switch (taps) {
    case 1:
      return CombineHalves<1, false>(rows, weights, count, out);
    case 2:
      return CombineHalves<2, false>(rows, weights, count, out);
    case 3:
      return CombineHalves<3, false>(rows, weights, count, out);
    default:
      CombineHalves<4, false>(rows, weights, count, out);
      for (int64_t t = 4; t < taps; ++t) CombineHalves<1, true>(rows + t, weights + t, count, out);
  }
}

// ------------------------------------------------------------------------------------------ horizontal pass

// kTaps is 0 where it is no constant.
template <int kTaps, bool kAdd, typename A, typename T, typename Read>
SG_KERAS_INLINE void SumProductsOf(const LinePlan<A>& plan, const Read& read, int64_t phase, int64_t count, T* out) {
  const A* weights = plan.weights + phase * plan.taps;
  if constexpr (kTaps == 0) {
    SumProductsAny<kAdd>(read, weights, plan.taps, count, out);
  } else {
    SumProducts<kTaps, kAdd>(read, weights, count, out);
  }
}

// Pixel by pixel: vectors along the channels.
template <int kTaps, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void FilterPixels(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  for (int64_t o = 0; o < plan.size; ++o) {
    const A* pixels = line + plan.source[o] * channels;
    SumProductsOf<kTaps, kAdd>(plan, SG_KERAS_READ(return pixels + t * channels + i), plan.phase[o], channels,
                               out + o * channels);
  }
}

// The same, past the caches, for pixels that are whole vectors. kTaps is 0 where it is no constant.
template <int kTaps, typename A, typename T>
SG_KERAS_INLINE void FilterPixelsToMemory(const LinePlan<A>& plan, const A* line, T* out) {
  using V = typename Wide<A>::Type;
  const int64_t channels = plan.channels;
  const int64_t taps = kTaps > 0 ? kTaps : plan.taps;
  for (int64_t o = 0; o < plan.size; ++o) {
    const A* pixels = line + plan.source[o] * channels;
    const A* weights = plan.weights + plan.phase[o] * taps;
    for (int64_t c = 0; c < channels; c += Wide<A>::kLanes) {
      V sum = {}, x;
      for (int64_t t = 0; t < taps; ++t) {
        LoadWide(pixels + t * channels + c, &x);
        sum += weights[t] * x;
      }
      StoreWideToMemory(sum, out + o * channels + c);
    }
  }
}

// Pixels too small for a vector, as those of images are, go through a small buffer in which those that are computed
// alike lie side by side.
constexpr int64_t kBuffer = 1024;  // numbers

template <int64_t kChannels, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void CopyPixels(const A* from, int64_t from_step, int64_t count, int64_t channels, int64_t to_step,
                                T* to) {
  if constexpr (kChannels > 0) channels = kChannels;
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t c = 0; c < channels; ++c) {
      A value = from[k * from_step + c];
      if constexpr (kAdd) value += to[k * to_step + c];
      Store(value, &to[k * to_step + c]);
    }
  }
}

template <bool kAdd, typename A, typename T>
SG_KERAS_INLINE void CopyPixelsAny(const A* from, int64_t from_step, int64_t count, int64_t channels, int64_t to_step,
                                   T* to) {
  switch (channels) {
    case 1:
      return CopyPixels<1, kAdd>(from, from_step, count, channels, to_step, to);
    case 3:
      return CopyPixels<3, kAdd>(from, from_step, count, channels, to_step, to);
    default:
      return CopyPixels<0, kAdd>(from, from_step, count, channels, to_step, to);
  }
}

// Upsampling: the results of one phase come from neighbouring pixels.
template <int kTaps, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void UpsampleSmallPixels(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  const int64_t step = plan.up * channels;
  const int64_t most = kBuffer / channels;
  A results[kBuffer];
  for (int64_t first = 0; first < plan.size; first += most * plan.up) {
    for (int64_t o = first; o < std::min(first + plan.up, plan.size); ++o) {
      const int64_t count = std::min(most, (plan.size - o + plan.up - 1) / plan.up);
      const A* pixels = line + plan.source[o] * channels;
      SumProductsOf<kTaps, false>(plan, SG_KERAS_READ(return pixels + t * channels + i), plan.phase[o],
                                  count * channels, results);
      CopyPixelsAny<kAdd>(results, channels, count, channels, step, out + o * channels);
    }
  }
}

// Downsampling: each tap of all results reads every down-th pixel.
template <int kTaps, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void DownsampleSmallPixels(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  const int64_t down = plan.down;
  const int64_t extra = (plan.taps - 1) / down;  // pixels that the last result reads of each after its own
  const int64_t plane = kBuffer / down / channels;
  const int64_t most = plane - extra;
  A planes[kBuffer];
  int64_t offset[kBuffer];
  for (int64_t t = 0; t < plan.taps; ++t) offset[t] = (t % down * plane + t / down) * channels;
  for (int64_t first = 0; first < plan.size; first += most) {
    const int64_t count = std::min(most, plan.size - first);
    const A* pixels = line + plan.source[first] * channels;
    for (int64_t j = 0; j < std::min(down, plan.taps); ++j) {
      const int64_t last_tap = (plan.taps - 1 - j) / down;
      CopyPixelsAny<false>(pixels + j * channels, down * channels, count + last_tap, channels, channels,
                    planes + j * plane * channels);
    }
    const auto read = [&planes, &offset](int64_t t, int64_t i) __attribute__((always_inline)) {
      return planes + offset[t] + i;
    };
    SumProductsOf<kTaps, kAdd>(plan, read, 0, count * channels, out + first * channels);
  }
}

template <int kTaps, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void FilterLineOf(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  const bool is_small = channels < Wide<A>::kLanes;
  if (plan.up == 1 && plan.down == 1) {  // one long vector
    const A* pixels = line + plan.source[0] * channels;
    SumProductsOf<kTaps, kAdd>(plan, SG_KERAS_READ(return pixels + t * channels + i), 0, plan.size * channels, out);
  } else if (is_small && plan.down == 1) {
    UpsampleSmallPixels<kTaps, kAdd>(plan, line, out);
  } else if (is_small && plan.up == 1 && (plan.taps + plan.down) * channels < kBuffer / 4) {
    DownsampleSmallPixels<kTaps, kAdd>(plan, line, out);
  } else {
    FilterPixels<kTaps, kAdd>(plan, line, out);
  }
}

template <typename A, typename T>
SG_KERAS_INLINE void FilterLineAny(const LinePlan<A>& plan, const A* line, T* out) {
  switch (plan.taps) {
    case 1:
      return FilterLineOf<1, false>(plan, line, out);
    case 2:
      return FilterLineOf<2, false>(plan, line, out);
    case 3:
      return FilterLineOf<3, false>(plan, line, out);
    case 4:
      return FilterLineOf<4, false>(plan, line, out);
    default:
      return FilterLineOf<0, false>(plan, line, out);
  }
}

// Whichever of the two.
template <typename T, typename A>
SG_KERAS_INLINE void CombineRowsAny(const T* const* rows, const A* weights, int64_t taps, int64_t count,
                                    const NextRows<T>& next, A* out) {
  CombineAny(rows, weights, taps, count, next, out);
}

template <typename A, typename T>
SG_KERAS_INLINE void FilterLineToMemoryAny(const LinePlan<A>& plan, const A* line, T* out) {
  if (plan.taps == 2) return FilterPixelsToMemory<2>(plan, line, out);
  if (plan.taps == 4) return FilterPixelsToMemory<4>(plan, line, out);
  FilterPixelsToMemory<0>(plan, line, out);
}

}  // namespace

// ------------------------------------------------------------------------------------------ processors

#define DEFINE_LINES(T, A)                                                                 \
  void CombineRows(const T* const* rows, const A* weights, int64_t taps, int64_t count,    \
                   const NextRows<T>& next, A* out) {                                      \
    OnProcessors<CombineRowsAny<T, A>>::Run(rows, weights, taps, count, next, out);            \
  }                                                                                        \
  void FilterLine(const LinePlan<A>& plan, const A* line, T* out) {                        \
    OnProcessors<FilterLineAny<A, T>>::Run(plan, line, out);                               \
  }                                                                                        \
  void FilterLineToMemory(const LinePlan<A>& plan, const A* line, T* out) {                \
    OnProcessors<FilterLineToMemoryAny<A, T>>::Run(plan, line, out);                       \
  }

DEFINE_LINES(float, float)
DEFINE_LINES(double, double)
DEFINE_LINES(BFloat16Bits, float)
#undef DEFINE_LINES

void AddFilteredLine(const LinePlan<float>& plan, const float* line, float* out) {
  OnProcessors<FilterLineOf<0, true, float, float>>::Run(plan, line, out);
}

void AddFilteredLine(const LinePlan<double>& plan, const double* line, double* out) {
  OnProcessors<FilterLineOf<0, true, double, double>>::Run(plan, line, out);
}

}  // namespace sg_keras
