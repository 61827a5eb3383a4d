// The nine activations and their slopes in CUDA kernels; the same arithmetic as in bias_act_cpu.cc.

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_ACTIVATION_CUDA_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_ACTIVATION_CUDA_H_

#include <cmath>
#include <cstdint>

#include "custom_ops/common/cc/kernels/cuda_platform.h"

namespace sg_keras {
namespace cuda {

// The codes of bias_act_cuda.h.
enum Act : int32_t { kLinear, kRelu, kLrelu, kTanh, kSigmoid, kElu, kSelu, kSoftplus, kSwish };

inline bool IsActivation(int32_t act) { return act >= kLinear && act <= kSwish; }
inline bool IsPiecewiseLinear(int32_t act) { return act >= kLinear && act <= kLrelu; }

// Klambauer et al. 2017, "Self-Normalizing Neural Networks".
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;

template <typename A>
__device__ __forceinline__ A Sigmoid(A u) { return A(1) / (A(1) + std::exp(-u)); }

template <typename A>
__device__ __forceinline__ A SmoothValue(int32_t act, A u) {
  switch (act) {
    case kTanh:
      return std::tanh(u);
    case kSigmoid:
      return Sigmoid(u);
    case kElu:
      return u > 0 ? u : std::expm1(u);
    case kSelu:
      return A(kSeluScale) * (u > 0 ? u : A(kSeluAlpha) * std::expm1(u));
    case kSoftplus:
      return u > 0 ? u + std::log1p(std::exp(-u)) : std::log1p(std::exp(u));
    default:
      return u * Sigmoid(u);
  }
}

template <typename A>
__device__ __forceinline__ A SmoothSlope(int32_t act, A u) {
  switch (act) {
    case kTanh: {
      const A t = std::tanh(u);
      return A(1) - t * t;
    }
    case kSigmoid: {
      const A s = Sigmoid(u);
      return s * (A(1) - s);
    }
    case kElu:
      return u > 0 ? A(1) : std::exp(u);
    case kSelu:
      return A(kSeluScale) * (u > 0 ? A(1) : A(kSeluAlpha) * std::exp(u));
    case kSoftplus:
      return Sigmoid(u);
    default: {
      const A s = Sigmoid(u);
      return s + u * s * (A(1) - s);
    }
  }
}

// Not inlined: double precision is for checks, and its functions are long.
SG_KERAS_NOINLINE double Value(int32_t act, double u) { return SmoothValue(act, u); }
SG_KERAS_NOINLINE double Slope(int32_t act, double u) { return SmoothSlope(act, u); }
__device__ __forceinline__ float Value(int32_t act, float u) { return SmoothValue(act, u); }
__device__ __forceinline__ float Slope(int32_t act, float u) { return SmoothSlope(act, u); }

// clamp(gain * act(u)) and its derivative. Comparisons are written so that NaN passes through.
template <typename A>
struct Activation {
  int32_t act;
  A positive;  // slopes of the piecewise linear ones, with the gain
  A negative;
  A gain;
  A clamp;

  template <typename Call>
  static Activation Of(const Call& call) {
    const double negative = call.act == kLinear ? 1.0 : call.act == kRelu ? 0.0 : call.alpha;
    return {call.act, static_cast<A>(call.gain), static_cast<A>(call.gain * negative), static_cast<A>(call.gain),
            static_cast<A>(call.clamp)};
  }

  __device__ __forceinline__ A Clamped(A v) const {
    v = v > clamp ? clamp : v;
    return v < -clamp ? -clamp : v;
  }

  // With kPiecewise the activation is known to be piecewise linear.
  template <bool kPiecewise>
  __device__ __forceinline__ A Forward(A u) const {
    return Clamped(kPiecewise ? u * (u > 0 ? positive : negative) : gain * Value(act, u));
  }

  template <bool kPiecewise>
  __device__ __forceinline__ A Backward(A dy, A u) const {
    if (kPiecewise) {
      const A slope = u > 0 ? positive : negative;
      return u * slope >= clamp || u * slope <= -clamp ? A(0) : dy * slope;
    }
    const A magnitude = gain * Value(act, u);
    const bool clamped = !std::isinf(clamp) && (magnitude >= clamp || magnitude <= -clamp);
    return clamped ? A(0) : dy * gain * Slope(act, u);
  }

  // The derivative read off the result y of a piecewise linear activation.
  __device__ __forceinline__ A BackwardOfResult(A dy, A y) const {
    return y >= clamp || y <= -clamp ? A(0) : dy * (y > 0 ? positive : negative);
  }
};

}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_BIAS_ACT_CC_KERNELS_ACTIVATION_CUDA_H_
