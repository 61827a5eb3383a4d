#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"

#include <algorithm>
#include <cmath>

#include "custom_ops/bias_act/cc/kernels/bias_act_piecewise_cpu.h"

namespace sg_keras {
namespace {

// Klambauer et al. 2017, "Self-Normalizing Neural Networks".
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;

template <typename A>
Slopes<A> SlopesOf(const BiasActParameters& p) {
  const double negative = p.act == Activation::kLinear ? 1.0 : p.act == Activation::kRelu ? 0.0 : p.alpha;
  return {static_cast<A>(p.gain), static_cast<A>(p.gain * negative), static_cast<A>(p.clamp)};
}

// ------------------------------------------------------------------------------------------ smooth

template <typename A>
A Sigmoid(A u) {
  return A(1) / (A(1) + std::exp(-u));
}

template <Activation kAct, typename A>
A Value(A u) {
  switch (kAct) {
    case Activation::kTanh:
      return std::tanh(u);
    case Activation::kSigmoid:
      return Sigmoid(u);
    case Activation::kElu:
      return u > 0 ? u : std::expm1(u);
    case Activation::kSelu:
      return A(kSeluScale) * (u > 0 ? u : A(kSeluAlpha) * std::expm1(u));
    case Activation::kSoftplus:
      return u > 0 ? u + std::log1p(std::exp(-u)) : std::log1p(std::exp(u));
    case Activation::kSwish:
      return u * Sigmoid(u);
    default:
      return u;
  }
}

template <Activation kAct, typename A>
A Slope(A u) {
  switch (kAct) {
    case Activation::kTanh: {
      const A t = std::tanh(u);
      return A(1) - t * t;
    }
    case Activation::kSigmoid: {
      const A s = Sigmoid(u);
      return s * (A(1) - s);
    }
    case Activation::kElu:
      return u > 0 ? A(1) : std::exp(u);
    case Activation::kSelu:
      return A(kSeluScale) * (u > 0 ? A(1) : A(kSeluAlpha) * std::exp(u));
    case Activation::kSoftplus:
      return Sigmoid(u);
    case Activation::kSwish: {
      const A s = Sigmoid(u);
      return s + u * s * (A(1) - s);
    }
    default:
      return A(1);
  }
}

template <Activation kAct, typename T, typename A = typename Computation<T>::Type>
void SmoothForward(const BiasActParameters& p, const T* x, const A* bias, int64_t count, T* y) {
  const A gain = static_cast<A>(p.gain);
  const A clamp = static_cast<A>(p.clamp);
  for (int64_t i = 0; i < count; ++i) {
    A v = gain * Value<kAct, A>(bias == nullptr ? Load(x[i]) : Load(x[i]) + bias[i]);
    v = v > clamp ? clamp : v;
    Store(v < -clamp ? -clamp : v, &y[i]);
  }
}

template <Activation kAct, typename T, typename A = typename Computation<T>::Type>
void SmoothBackward(const BiasActParameters& p, const T* dy, const T* at, int64_t count, T* dx) {
  const A gain = static_cast<A>(p.gain);
  const bool has_clamp = !std::isinf(p.clamp);
  for (int64_t i = 0; i < count; ++i) {
    const A u = Load(at[i]);
    const bool clamped = has_clamp && std::abs(gain * Value<kAct, A>(u)) >= static_cast<A>(p.clamp);
    Store(clamped ? A(0) : Load(dy[i]) * gain * Slope<kAct, A>(u), &dx[i]);
  }
}

}  // namespace

bool ParseActivation(const std::string& name, Activation* act) {
  static constexpr const char* kNames[] = {"linear", "relu", "lrelu", "tanh", "sigmoid",
                                           "elu",    "selu", "softplus", "swish"};
  for (int i = 0; i < 9; ++i) {
    if (name == kNames[i]) {
      *act = static_cast<Activation>(i);
      return true;
    }
  }
  return false;
}

#define FOR_SMOOTH(CASE)       \
  CASE(Activation::kTanh)      \
  CASE(Activation::kSigmoid)   \
  CASE(Activation::kElu)       \
  CASE(Activation::kSelu)      \
  CASE(Activation::kSoftplus)  \
  CASE(Activation::kSwish)

template <typename T>
void BiasActForward(const BiasActParameters& p, const T* x, const typename Computation<T>::Type* bias, int64_t count,
                    Destination destination, T* y) {
  switch (p.act) {
#define CASE(ACT) \
  case ACT:       \
    return SmoothForward<ACT, T>(p, x, bias, count, y);
    FOR_SMOOTH(CASE)
#undef CASE
    default:
      return ForwardRow(SlopesOf<typename Computation<T>::Type>(p), x, bias, count, destination, y);
  }
}

template <typename T>
void ScaleBiasActForward(const BiasActParameters& p, const T* x, const T* scale, const T* noise, const T* bias,
                         int64_t pixels, int64_t channels, Destination destination, T* y) {
  ScaledRow(SlopesOf<typename Computation<T>::Type>(p), x, scale, noise, bias, pixels, channels, destination, y);
}

template <typename T>
void ScaleBiasActBackward(const BiasActParameters& p, const T* dy, const T* y, const T* x, const T* scale,
                          int64_t pixels, int64_t channels, typename Computation<T>::Type* scratch, T* dx,
                          typename Computation<T>::Type* dscale, T* dnoise, typename Computation<T>::Type* db) {
  ScaledBackwardImage(SlopesOf<typename Computation<T>::Type>(p), dy, y, x, scale, pixels, channels, scratch, dx,
                      dscale, dnoise, db);
}

template <typename T>
void SumPeriods(const T* x, int64_t count, int64_t period, typename Computation<T>::Type* sums) {
  PeriodRows(x, count, period, sums);
}

template <typename T>
void BiasActBackward(const BiasActParameters& p, bool of_result, const T* dy, const T* at, int64_t count,
                     Destination destination, T* dx, int64_t period, typename Computation<T>::Type* sums) {
  switch (p.act) {
#define CASE(ACT)                             \
  case ACT:                                   \
    SmoothBackward<ACT, T>(p, dy, at, count, dx); \
    break;
    FOR_SMOOTH(CASE)
#undef CASE
    default:
      return BackwardRow(SlopesOf<typename Computation<T>::Type>(p), of_result, dy, at, count, destination, dx, period,
                         sums);
  }
  if (sums == nullptr) return;
  const int64_t whole = count - count % period;
  SumPeriods(dx, whole, period, sums);
  SumPeriods(dx + whole, count - whole, std::max<int64_t>(1, count - whole), sums);
}

#define INSTANTIATE(T)                                                                                               \
  template void BiasActForward<T>(const BiasActParameters&, const T*, const typename Computation<T>::Type*, int64_t, \
                                  Destination, T*);                                                                  \
  template void ScaleBiasActForward<T>(const BiasActParameters&, const T*, const T*, const T*, const T*, int64_t,    \
                                       int64_t, Destination, T*);                                                    \
  template void ScaleBiasActBackward<T>(const BiasActParameters&, const T*, const T*, const T*, const T*, int64_t,   \
                                        int64_t, typename Computation<T>::Type*, T*,                                 \
                                        typename Computation<T>::Type*, T*, typename Computation<T>::Type*);         \
  template void SumPeriods<T>(const T*, int64_t, int64_t, typename Computation<T>::Type*);                           \
  template void BiasActBackward<T>(const BiasActParameters&, bool, const T*, const T*, int64_t, Destination, T*,     \
                                   int64_t, typename Computation<T>::Type*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(BFloat16Bits)
#undef INSTANTIATE

}  // namespace sg_keras
