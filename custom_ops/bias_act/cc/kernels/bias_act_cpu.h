// The arithmetic of bias_act on contiguous memory, free of TensorFlow.

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_

#include <cstdint>
#include <string>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

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

// y[i] = clamp(gain * act(x[i] + bias[i])) for i < count; bias may be null. x and y may be the same memory.
template <typename T>
void BiasActForward(const BiasActParameters& parameters, const T* x, const typename Computation<T>::Type* bias,
                    int64_t count, T* y);

// dx[i] = dy[i] * slope at[i] for i < count, `at` being the result y (of_result) or x + b. dy and dx may be the same.
template <typename T>
void BiasActBackward(const BiasActParameters& parameters, bool of_result, const T* dy, const T* at, int64_t count,
                     T* dx);

}  // namespace sg_keras

#endif  // CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_CPU_H_
