// Weighted sums of vectors, the inner loops of upfirdn2d. For files that compile them for several processors.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_PRODUCTS_CPU_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_PRODUCTS_CPU_H_

#include <cstdint>
#include <cstring>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/processor.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"

namespace sg_keras {

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
SG_KERAS_INLINE void StoreWide(const Floats& v, float* target) { std::memcpy(target, &v, sizeof(v)); }
SG_KERAS_INLINE void StoreWide(const Doubles& v, double* target) { std::memcpy(target, &v, sizeof(v)); }

// Rounds to nearest, halves to even; NaN stays NaN. No comparisons: GCC 12 takes them apart number by number where
// registers are shorter than this.
SG_KERAS_INLINE void StoreWide(const Floats& v, BFloat16Bits* target) {
  Words bits;
  std::memcpy(&bits, &v, sizeof(bits));
  const Words is_nan = -((0x7f800000 - (bits & 0x7fffffff)) >> 31);  // all ones or none
  const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Words chosen = (is_nan & (bits | 0x400000)) | (~is_nan & rounded);
  const Halves halves = __builtin_convertvector(chosen >> 16, Halves);
  std::memcpy(target, &halves, sizeof(halves));
}

// Past the caches; `target` is a multiple of kStoredWord.
template <typename V, typename T>
SG_KERAS_INLINE void StoreWideToMemory(const V& v, T* target) {
  constexpr int64_t kLanes = sizeof(v) / sizeof(v[0]);
  alignas(kCacheLine) T elements[kLanes];
  StoreWide(v, elements);
  StoreAlignedToMemory(elements, kLanes, target);
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
    A sum = w[0] * *read(0, i);
    for (int t = 1; t < kTaps; ++t) sum += w[t] * *read(t, i);
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
    for (int64_t t = 0; t < taps; ++t) sum += weights[t] * *read(t, i);
    if constexpr (kAdd) sum += out[i];
    Store(sum, &out[i]);
  }
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_PRODUCTS_CPU_H_
