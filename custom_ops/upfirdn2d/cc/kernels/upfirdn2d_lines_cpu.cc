#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_lines_cpu.h"

#include <algorithm>
#include <cstring>

#include "custom_ops/common/cc/kernels/cpu_targets.h"

namespace sg_keras {
namespace {

// ------------------------------------------------------------------------------------------ vectors

// A cache line of numbers: one register with AVX-512, several with less. Passed by reference, because how vectors are
// passed by value depends on the processor.
template <typename A>
struct Wide {};
template <>
struct Wide<float> {
  typedef float Type __attribute__((vector_size(64)));
  static constexpr int64_t kLanes = 16;
};
template <>
struct Wide<double> {
  typedef double Type __attribute__((vector_size(64)));
  static constexpr int64_t kLanes = 8;
};
using Floats = Wide<float>::Type;
using Doubles = Wide<double>::Type;
typedef uint32_t Words __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32)));

SG_KERAS_INLINE void LoadWide(const float* source, Floats* v) { std::memcpy(v, source, sizeof(*v)); }
SG_KERAS_INLINE void LoadWide(const double* source, Doubles* v) { std::memcpy(v, source, sizeof(*v)); }
SG_KERAS_INLINE void LoadWide(const BFloat16Bits* source, Floats* v) {
  Halves halves;
  std::memcpy(&halves, source, sizeof(halves));
  const Words bits = __builtin_convertvector(halves, Words) << 16;
  std::memcpy(v, &bits, sizeof(*v));
}

SG_KERAS_INLINE void StoreWide(const Floats& v, float* target) { std::memcpy(target, &v, sizeof(v)); }
SG_KERAS_INLINE void StoreWide(const Doubles& v, double* target) { std::memcpy(target, &v, sizeof(v)); }

// Rounds to nearest, halves to even; NaN stays NaN.
SG_KERAS_INLINE void StoreWide(const Floats& v, BFloat16Bits* target) {
  Words bits;
  std::memcpy(&bits, &v, sizeof(bits));
  const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Words chosen = (bits & 0x7fffffff) > 0x7f800000 ? (bits | 0x400000) : rounded;
  const Halves halves = __builtin_convertvector(chosen >> 16, Halves);
  std::memcpy(target, &halves, sizeof(halves));
}

// ------------------------------------------------------------------------------------------ sums of products
//
// out[i] (+)= sum over t of weights[t] * read(t, i), in the order of t. `read` gives the address of element i of the
// t-th operand.

// kTaps is a constant for the usual filters: the weights stay in registers.
template <int kTaps, bool kAdd, typename A, typename T, typename Read>
SG_KERAS_INLINE void SumProducts(const Read& read, const A* weights, int64_t count, T* __restrict__ out) {
  using V = typename Wide<A>::Type;
  constexpr int64_t kLanes = Wide<A>::kLanes;
  A w[kTaps];
  for (int t = 0; t < kTaps; ++t) w[t] = weights[t];
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    V sum, x;
    LoadWide(read(0, i), &sum);
    sum *= w[0];
#pragma GCC unroll 16
    for (int t = 1; t < kTaps; ++t) {
      LoadWide(read(t, i), &x);
      sum += w[t] * x;
    }
    if constexpr (kAdd) {
      LoadWide(out + i, &x);
      sum += x;
    }
    StoreWide(sum, out + i);
  }
  for (; i < count; ++i) {
    A sum = w[0] * Load(*read(0, i));
    for (int t = 1; t < kTaps; ++t) sum += w[t] * Load(*read(t, i));
    if constexpr (kAdd) sum += out[i];
    Store(sum, &out[i]);
  }
}

// Any number of taps: blocks of sums stay in registers.
template <bool kAdd, typename A, typename T, typename Read>
SG_KERAS_INLINE void SumProductsAny(const Read& read, const A* weights, int64_t taps, int64_t count,
                                    T* __restrict__ out) {
  using V = typename Wide<A>::Type;
  constexpr int64_t kLanes = Wide<A>::kLanes;
  constexpr int64_t kBlock = 4;
  int64_t i = 0;
  for (; i + kBlock * kLanes <= count; i += kBlock * kLanes) {
    V sum[kBlock] = {};
    for (int64_t t = 0; t < taps; ++t) {
#pragma GCC unroll 4
      for (int64_t k = 0; k < kBlock; ++k) {
        V x;
        LoadWide(read(t, i + k * kLanes), &x);
        sum[k] += weights[t] * x;
      }
    }
#pragma GCC unroll 4
    for (int64_t k = 0; k < kBlock; ++k) {
      if constexpr (kAdd) {
        V x;
        LoadWide(out + i + k * kLanes, &x);
        sum[k] += x;
      }
      StoreWide(sum[k], out + i + k * kLanes);
    }
  }
  for (; i + kLanes <= count; i += kLanes) {
    V sum = {}, x;
    for (int64_t t = 0; t < taps; ++t) {
      LoadWide(read(t, i), &x);
      sum += weights[t] * x;
    }
    if constexpr (kAdd) {
      LoadWide(out + i, &x);
      sum += x;
    }
    StoreWide(sum, out + i);
  }
  for (; i < count; ++i) {
    A sum = 0;
    for (int64_t t = 0; t < taps; ++t) sum += weights[t] * Load(*read(t, i));
    if constexpr (kAdd) sum += out[i];
    Store(sum, &out[i]);
  }
}

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

// ------------------------------------------------------------------------------------------ horizontal pass

// Gray and RGB pixels have their number of channels as a constant: their loops are too short to be worth starting.
template <int kTaps, bool kAdd, int kChannels, typename A, typename T>
SG_KERAS_INLINE void FilterPixels(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = kChannels > 0 ? kChannels : plan.channels;
  for (int64_t o = 0; o < plan.size; ++o) {
    const A* pixels = line + plan.source[o] * channels;
    SumProducts<kTaps, kAdd>(SG_KERAS_READ(return pixels + t * channels + i), plan.weights + plan.phase[o] * kTaps,
                             channels, out + o * channels);
  }
}

template <int kTaps, bool kAdd, typename A, typename T>
SG_KERAS_INLINE void FilterLineOf(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  if (plan.shift_only) {
    const A* pixels = line + plan.source[0] * channels;
    SumProducts<kTaps, kAdd>(SG_KERAS_READ(return pixels + t * channels + i), plan.weights, plan.size * channels, out);
  } else if (channels == 1) {
    FilterPixels<kTaps, kAdd, 1>(plan, line, out);
  } else if (channels == 3) {
    FilterPixels<kTaps, kAdd, 3>(plan, line, out);
  } else {
    FilterPixels<kTaps, kAdd, 0>(plan, line, out);
  }
}

template <bool kAdd, typename A, typename T>
SG_KERAS_INLINE void FilterLineOfAnyLength(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = plan.channels;
  for (int64_t o = 0; o < plan.size; ++o) {
    const A* pixels = line + plan.source[o] * channels;
    SumProductsAny<kAdd>(SG_KERAS_READ(return pixels + t * channels + i), plan.weights + plan.phase[o] * plan.taps,
                         plan.taps, channels, out + o * channels);
  }
}

template <bool kAdd, typename A, typename T>
SG_KERAS_INLINE void FilterLineAny(const LinePlan<A>& plan, const A* line, T* out) {
  switch (plan.taps) {
    case 1:
      return FilterLineOf<1, kAdd>(plan, line, out);
    case 2:
      return FilterLineOf<2, kAdd>(plan, line, out);
    case 3:
      return FilterLineOf<3, kAdd>(plan, line, out);
    case 4:
      return FilterLineOf<4, kAdd>(plan, line, out);
    case 6:
      return FilterLineOf<6, kAdd>(plan, line, out);
    case 12:
      return FilterLineOf<12, kAdd>(plan, line, out);
    default:
      return FilterLineOfAnyLength<kAdd>(plan, line, out);
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------ processors
//
// Target clones have to be plain functions.

#define DEFINE_LINES(T, A)                                                                                   \
  SG_KERAS_CPU_TARGETS void CombineRows(const T* const* rows, const A* weights, int64_t taps, int64_t count, \
                                        const NextRows<T>& next, A* out) {                                   \
    CombineAny(rows, weights, taps, count, next, out);                                                       \
  }                                                                                                          \
  SG_KERAS_CPU_TARGETS void FilterLine(const LinePlan<A>& plan, const A* line, T* out) {                     \
    FilterLineAny<false>(plan, line, out);                                                                   \
  }

DEFINE_LINES(float, float)
DEFINE_LINES(double, double)
DEFINE_LINES(BFloat16Bits, float)
#undef DEFINE_LINES

SG_KERAS_CPU_TARGETS void AddFilteredLine(const LinePlan<float>& plan, const float* line, float* out) {
  FilterLineAny<true>(plan, line, out);
}

SG_KERAS_CPU_TARGETS void AddFilteredLine(const LinePlan<double>& plan, const double* line, double* out) {
  FilterLineAny<true>(plan, line, out);
}

}  // namespace sg_keras
