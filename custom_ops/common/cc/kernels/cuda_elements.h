// Elements of tensors in CUDA kernels: the four types, the type computed in, several loaded at once, choice by code.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ELEMENTS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ELEMENTS_H_

#include <cstdint>
#include <type_traits>

#include "custom_ops/common/cc/kernels/cuda_api.h"
#include "custom_ops/common/cc/kernels/cuda_platform.h"

namespace sg_keras {
namespace cuda {

// The type in which a kernel computes with elements of type T.
template <typename T>
struct Computation {
  using Type = float;
};
template <>
struct Computation<double> {
  using Type = double;
};
template <typename T>
using Number = typename Computation<T>::Type;

__device__ __forceinline__ float Load(float value) { return value; }
__device__ __forceinline__ double Load(double value) { return value; }
__device__ __forceinline__ float Load(__half value) { return __half2float(value); }
__device__ __forceinline__ float Load(__nv_bfloat16 value) { return __bfloat162float(value); }

__device__ __forceinline__ void Store(float value, float* target) { *target = value; }
__device__ __forceinline__ void Store(double value, double* target) { *target = value; }
__device__ __forceinline__ void Store(float value, __half* target) { *target = __float2half_rn(value); }
__device__ __forceinline__ void Store(float value, __nv_bfloat16* target) { *target = __float2bfloat16_rn(value); }

// kCount neighbouring elements, loaded and stored as one word of up to 16 bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  static_assert(sizeof(T) * kCount <= 16, "one word");
  T values[kCount];
};

template <typename T, int kCount>
__device__ __forceinline__ void Unpack(const Pack<T, kCount>& pack, Number<T>* values) {
  SG_KERAS_UNROLL
  for (int i = 0; i < kCount; ++i) values[i] = Load(pack.values[i]);
}

template <int kCount, typename T>
__device__ __forceinline__ void LoadPack(const T* source, Number<T>* values) {
  Unpack(*reinterpret_cast<const Pack<T, kCount>*>(source), values);
}

template <int kCount, typename T>
__device__ __forceinline__ void StorePack(const Number<T>* values, T* target) {
  Pack<T, kCount> pack;
  SG_KERAS_UNROLL
  for (int i = 0; i < kCount; ++i) Store(values[i], &pack.values[i]);
  *reinterpret_cast<Pack<T, kCount>*>(target) = pack;
}

// How many elements make a word of 16 bytes.
template <typename T>
constexpr int kWordPack = 16 / sizeof(T);

// Whether a kernel can walk over rows of `channels` elements from these pointers on by packs.
template <typename T, int kPack, typename... Pointers>
bool FitsPacks(int64_t channels, const Pointers*... pointers) {
  return channels % kPack == 0 && (true && ... && (reinterpret_cast<uintptr_t>(pointers) % (sizeof(T) * kPack) == 0));
}

// The same by words of 16 bytes.
template <typename T, typename... Pointers>
bool FitsWords(int64_t channels, const Pointers*... pointers) {
  return FitsPacks<T, kWordPack<T>>(channels, pointers...);
}

// Calls launch with the number of elements to handle at once: a word or 1, as std::integral_constant.
template <typename T, typename Launch>
void WithPack(bool words, const Launch& launch) {
  if (words) {
    launch(std::integral_constant<int, kWordPack<T>>{});
  } else {
    launch(std::integral_constant<int, 1>{});
  }
}

// Calls launch(T{}) with the element type of a code; cudaErrorInvalidValue for unknown codes.
template <typename Launch>
int WithType(int32_t type, const Launch& launch) {
  switch (type) {
    case SG_KERAS_FLOAT32:
      return launch(float{});
    case SG_KERAS_FLOAT64:
      return launch(double{});
    case SG_KERAS_FLOAT16:
      return launch(__half{});
    case SG_KERAS_BFLOAT16:
      return launch(__nv_bfloat16{});
    default:
      return static_cast<int>(cudaErrorInvalidValue);
  }
}

}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ELEMENTS_H_
