// A block of 16 channels of one pixel, in registers of the processor that a file is compiled for.
//
// A file that includes this is compiled for one generation of processors. Before the include it
//   * includes every other header (a template of theirs must not be compiled for a processor that may be absent),
//   * sets the processor by `#pragma GCC target`,
//   * defines SG_KERAS_PROCESSOR, the namespace of its code, and SG_KERAS_REGISTER_BYTES: 64 (AVX-512), 32 or 16.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_VECTOR_BLOCK_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_VECTOR_BLOCK_H_

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/processor.h"

namespace sg_keras {
namespace SG_KERAS_PROCESSOR {

constexpr int kBlock = 16;  // channels

template <typename A>
struct Register {
  typedef A Type __attribute__((vector_size(SG_KERAS_REGISTER_BYTES)));
  static constexpr int kLanes = SG_KERAS_REGISTER_BYTES / sizeof(A);
};

template <typename A>
struct alignas(64) Block {
  using Vector = typename Register<A>::Type;
  static constexpr int kRegisters = kBlock / Register<A>::kLanes;

  Vector v[kRegisters];
};

// The same number in all lanes.
template <typename A>
SG_KERAS_INLINE typename Register<A>::Type Broadcast(A value) {
  return value - typename Register<A>::Type{};  // -0 stays -0
}

template <typename A>
SG_KERAS_INLINE Block<A> Zero() {
  Block<A> block;
  for (auto& v : block.v) v = typename Register<A>::Type{};
  return block;
}

template <typename A>
SG_KERAS_INLINE Block<A> Multiply(typename Register<A>::Type weight, const Block<A>& x) {
  Block<A> y;
  for (int r = 0; r < Block<A>::kRegisters; ++r) y.v[r] = weight * x.v[r];
  return y;
}

// sum += weight * x.
template <typename A>
SG_KERAS_INLINE void MultiplyAdd(typename Register<A>::Type weight, const Block<A>& x, Block<A>* sum) {
  for (int r = 0; r < Block<A>::kRegisters; ++r) sum->v[r] += weight * x.v[r];
}

template <typename A>
SG_KERAS_INLINE Block<A> Add(const Block<A>& a, const Block<A>& b) {
  Block<A> y;
  for (int r = 0; r < Block<A>::kRegisters; ++r) y.v[r] = a.v[r] + b.v[r];
  return y;
}

template <typename A>
SG_KERAS_INLINE Block<A> Subtract(const Block<A>& a, const Block<A>& b) {
  Block<A> y;
  for (int r = 0; r < Block<A>::kRegisters; ++r) y.v[r] = a.v[r] - b.v[r];
  return y;
}

// ------------------------------------------------------------------------------------------ memory

template <typename A>
SG_KERAS_INLINE Block<A> LoadBlock(const A* source) {
  Block<A> block;
  std::memcpy(&block, source, sizeof(block));
  return block;
}

SG_KERAS_INLINE Block<float> LoadBlock(const BFloat16Bits* source) {
  typedef uint16_t Halves __attribute__((vector_size(SG_KERAS_REGISTER_BYTES / 2)));
  typedef uint32_t Words __attribute__((vector_size(SG_KERAS_REGISTER_BYTES)));
  Block<float> block;
  for (int r = 0; r < Block<float>::kRegisters; ++r) {
    Halves halves;
    std::memcpy(&halves, source + r * Register<float>::kLanes, sizeof(halves));
    block.v[r] = reinterpret_cast<Register<float>::Type>(__builtin_convertvector(halves, Words) << 16);
  }
  return block;
}

template <typename A>
SG_KERAS_INLINE void StoreBlock(const Block<A>& block, A* target) {
  std::memcpy(target, &block, sizeof(block));
}

// Rounds to nearest, halves to even; NaN stays NaN.
SG_KERAS_INLINE void StoreBlock(const Block<float>& block, BFloat16Bits* target) {
  typedef uint16_t Halves __attribute__((vector_size(SG_KERAS_REGISTER_BYTES / 2)));
  typedef uint32_t Words __attribute__((vector_size(SG_KERAS_REGISTER_BYTES)));
  for (int r = 0; r < Block<float>::kRegisters; ++r) {
    const Words bits = reinterpret_cast<Words>(block.v[r]);
    const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const Words is_nan = reinterpret_cast<Words>((bits & 0x7fffffff) > 0x7f800000);
    const Words chosen = (is_nan & (bits | 0x400000)) | (~is_nan & rounded);
    const Halves halves = __builtin_convertvector(chosen >> 16, Halves);
    std::memcpy(target + r * Register<float>::kLanes, &halves, sizeof(halves));
  }
}

// The first `count` channels; the others are 0, and are not read.
template <typename A, typename T>
SG_KERAS_INLINE Block<A> LoadChannels(const T* source, int64_t count) {
  if (count == kBlock) return LoadBlock(source);
  T channels[kBlock] = {};
  for (int64_t c = 0; c < count; ++c) channels[c] = source[c];
  return LoadBlock(channels);
}

template <typename A, typename T>
SG_KERAS_INLINE void StoreChannels(const Block<A>& block, int64_t count, T* target) {
  if (count == kBlock) return StoreBlock(block, target);
  T channels[kBlock];
  StoreBlock(block, channels);
  for (int64_t c = 0; c < count; ++c) target[c] = channels[c];
}

// ------------------------------------------------------------------------------------------ one bit a channel

#if defined(__x86_64__) && SG_KERAS_REGISTER_BYTES == 64
SG_KERAS_INLINE uint32_t NotAboveZero(__m512 v) { return _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ); }
SG_KERAS_INLINE uint32_t NotAboveZero(__m512d v) { return _mm512_cmp_pd_mask(v, _mm512_setzero_pd(), _CMP_NGT_UQ); }
SG_KERAS_INLINE uint32_t Differ(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
SG_KERAS_INLINE uint32_t Differ(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
SG_KERAS_INLINE __m512 MultiplyWhere(uint32_t bits, __m512 v, __m512 factor) {
  return _mm512_mask_mul_ps(v, static_cast<__mmask16>(bits), v, factor);
}
SG_KERAS_INLINE __m512d MultiplyWhere(uint32_t bits, __m512d v, __m512d factor) {
  return _mm512_mask_mul_pd(v, static_cast<__mmask8>(bits), v, factor);
}
SG_KERAS_INLINE __m512 ZeroWhere(uint32_t bits, __m512 v) {
  return _mm512_maskz_mov_ps(static_cast<__mmask16>(~bits), v);
}
SG_KERAS_INLINE __m512d ZeroWhere(uint32_t bits, __m512d v) {
  return _mm512_maskz_mov_pd(static_cast<__mmask8>(~bits), v);
}
// NaN stays NaN. (GCC 12 warns of the plain intrinsics, wrongly.)
SG_KERAS_INLINE __m512 Limit(__m512 v, __m512 limit) {
  return _mm512_maskz_min_ps(0xffff, limit, _mm512_maskz_max_ps(0xffff, -limit, v));
}
SG_KERAS_INLINE __m512d Limit(__m512d v, __m512d limit) {
  return _mm512_maskz_min_pd(0xff, limit, _mm512_maskz_max_pd(0xff, -limit, v));
}
#else
#if defined(__x86_64__) && SG_KERAS_REGISTER_BYTES == 32
SG_KERAS_INLINE uint32_t SignBits(Register<int32_t>::Type v) {
  return _mm256_movemask_ps(reinterpret_cast<__m256>(v));
}
SG_KERAS_INLINE uint32_t SignBits(Register<int64_t>::Type v) {
  return _mm256_movemask_pd(reinterpret_cast<__m256d>(v));
}
#elif defined(__x86_64__)
SG_KERAS_INLINE uint32_t SignBits(Register<int32_t>::Type v) { return _mm_movemask_ps(reinterpret_cast<__m128>(v)); }
SG_KERAS_INLINE uint32_t SignBits(Register<int64_t>::Type v) { return _mm_movemask_pd(reinterpret_cast<__m128d>(v)); }
#else
template <typename V>
SG_KERAS_INLINE uint32_t SignBits(V v) {
  uint32_t bits = 0;
  for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); ++i) bits |= static_cast<uint32_t>(v[i] < 0) << i;
  return bits;
}
#endif

// All ones in the lanes whose bit is set.
SG_KERAS_INLINE Register<int32_t>::Type LanesOf(uint32_t bits, Register<float>::Type) {
  Register<int32_t>::Type lane;
  for (int i = 0; i < Register<float>::kLanes; ++i) lane[i] = 1 << i;
  return (lane & static_cast<int32_t>(bits)) != 0;
}
SG_KERAS_INLINE Register<int64_t>::Type LanesOf(uint32_t bits, Register<double>::Type) {
  Register<int64_t>::Type lane;
  for (int i = 0; i < Register<double>::kLanes; ++i) lane[i] = 1 << i;
  return (lane & static_cast<int64_t>(bits)) != 0;
}

template <typename V>
SG_KERAS_INLINE uint32_t NotAboveZero(V v) {
  return SignBits(~(v > 0));
}
template <typename V>
SG_KERAS_INLINE uint32_t Differ(V a, V b) {
  return SignBits(a != b);
}
template <typename V>
SG_KERAS_INLINE V MultiplyWhere(uint32_t bits, V v, V factor) {
  return LanesOf(bits, v) ? v * factor : v;
}
template <typename V>
SG_KERAS_INLINE V ZeroWhere(uint32_t bits, V v) {
  return LanesOf(bits, v) ? V{} : v;
}
template <typename V>
SG_KERAS_INLINE V Limit(V v, V limit) {  // NaN stays NaN
  v = v < -limit ? -limit : v;
  return v > limit ? limit : v;
}
#endif

}  // namespace SG_KERAS_PROCESSOR
}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_VECTOR_BLOCK_H_
