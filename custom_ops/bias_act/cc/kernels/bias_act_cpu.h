// The arithmetic of bias_act on contiguous memory, free of TensorFlow.

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_

#include <cstdint>
#include <string>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"

namespace sg_keras {

enum class Activation { kLinear, kRelu, kLrelu, kTanh, kSigmoid, kElu, kSelu, kSoftplus, kSwish };

struct BiasActParameters {
  Activation act;
  double alpha;
  double gain;
  double clamp;  // infinity: no clamp
};

// Returns false for an unknown name.
bool ParseActivation(const std::string& name, Activation* act);

// Where a `destination` is asked for and is kMemory, the result (each pixel of it in ScaleBiasActForward) must begin at
// a multiple of kStoredWord, and `FinishStores` must follow before another thread reads it. The smooth activations are
// not bound by memory and take no notice of it.

// y[i] = clamp(gain * act(x[i] + bias[i])) for i < count; bias may be null. x and y may be the same memory.
template <typename T>
void BiasActForward(const BiasActParameters& parameters, const T* x, const typename Computation<T>::Type* bias,
                    int64_t count, Destination destination, T* y);

// y[p, c] = clamp(gain * act(x[p, c] * scale[c] + noise[p] + bias[c])) for p < pixels; piecewise linear activations.
// noise may be null. x and y may be the same memory.
template <typename T>
void ScaleBiasActForward(const BiasActParameters& parameters, const T* x, const T* scale, const T* noise, const T* bias,
                         int64_t pixels, int64_t channels, Destination destination, T* y);

// Its gradients for one image, from its result y. dscale and db are sums over the image, dnoise over channels;
// `scratch` holds twice as many numbers as there are channels. dy and dx may be the same memory.
template <typename T>
void ScaleBiasActBackward(const BiasActParameters& parameters, const T* dy, const T* y, const T* x, const T* scale,
                          int64_t pixels, int64_t channels, typename Computation<T>::Type* scratch, T* dx,
                          typename Computation<T>::Type* dscale, T* dnoise, typename Computation<T>::Type* db);

constexpr int64_t kPeriodUnit = 64;

// dx[i] = dy[i] * slope at[i] for i < count, `at` being the result y (of_result) or x + b. dy and dx may be the same.
// Unless `sums` is null, sums[j] += the sum of dx[j + k * period] over all k; period is a multiple of kPeriodUnit.
template <typename T>
void BiasActBackward(const BiasActParameters& parameters, bool of_result, const T* dy, const T* at, int64_t count,
                     Destination destination, T* dx, int64_t period, typename Computation<T>::Type* sums);

// sums[j] += the sum of x[j + k * period] over all k, for j < period; count is a multiple of period.
template <typename T>
void SumPeriods(const T* x, int64_t count, int64_t period, typename Computation<T>::Type* sums);

}  // namespace sg_keras

#endif  // CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_
