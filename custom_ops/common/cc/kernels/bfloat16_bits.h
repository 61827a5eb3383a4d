// Bfloat16 numbers as their bits, with conversions that compilers vectorise. Kernels load them as float.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_BFLOAT16_BITS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_BFLOAT16_BITS_H_

#include <cstdint>
#include <cstring>

#include "custom_ops/common/cc/kernels/processor.h"

namespace sg_keras {

struct BFloat16Bits {
  uint16_t bits;
};

// The type in which a kernel computes with elements of type T.
template <typename T>
struct Computation {
  using Type = T;
};
template <>
struct Computation<BFloat16Bits> {
  using Type = float;
};

template <typename T>
SG_KERAS_INLINE T Load(T value) {
  return value;
}

SG_KERAS_INLINE float Load(BFloat16Bits value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

SG_KERAS_INLINE void Store(float value, float* target) { *target = value; }
SG_KERAS_INLINE void Store(double value, double* target) { *target = value; }

// Rounds to nearest, halves to even; NaN stays NaN.
SG_KERAS_INLINE void Store(float value, BFloat16Bits* target) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
  target->bits = static_cast<uint16_t>((is_nan ? (bits | 0x400000) : rounded) >> 16);
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_BFLOAT16_BITS_H_
