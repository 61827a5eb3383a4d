// OpKernels of bias_act on CPUs.

#include <algorithm>
#include <cmath>
#include <vector>

#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"
#include "custom_ops/common/cc/kernels/kernel_helpers.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr int64_t kChunk = 4096;  // elements handled by one call of the arithmetic: a few pages
constexpr double kPiecewiseNanoseconds = 0.4;
constexpr double kSmoothNanoseconds = 6.0;

absl::Status GetParameters(OpKernelConstruction* context, BiasActParameters* parameters) {
  std::string act;
  TF_RETURN_IF_ERROR(context->GetAttr("act", &act));
  if (!ParseActivation(act, &parameters->act)) {
    return BadInput("act: found '", act, "', expected a known activation");
  }
  TF_RETURN_IF_ERROR(GetNumber(context, "alpha", &parameters->alpha));
  TF_RETURN_IF_ERROR(GetNumber(context, "gain", &parameters->gain));
  return GetNumber(context, "clamp", &parameters->clamp);
}

double NanosecondsPerElement(Activation act) {
  const bool piecewise = act == Activation::kLinear || act == Activation::kRelu || act == Activation::kLrelu;
  return piecewise ? kPiecewiseNanoseconds : kSmoothNanoseconds;
}

template <typename T>
class BiasActOp : public OpKernel {
 public:
  explicit BiasActOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& b = context->input(1);
    OP_REQUIRES(context, x.dims() >= 1,
                BadInput("x: found a scalar, expected at least one axis"));
    const int64_t channels = x.dim_size(x.dims() - 1);
    OP_REQUIRES(context, b.dims() == 1 && (b.NumElements() == 0 || b.NumElements() == channels),
                BadInput("b: found shape ", b.shape().DebugString(), " for x of shape ",
                                                    x.shape().DebugString(), ", expected [C] or [0]"));
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    const int64_t total = x.NumElements();
    if (total == 0) return;

    // The bias, repeated to a length worth a vectorised loop whatever the number of channels.
    using Number = typename Computation<typename Element<T>::Type>::Type;
    const bool has_bias = b.NumElements() > 0;
    const int64_t period = has_bias ? channels * std::max<int64_t>(1, kChunk / channels) : kChunk;
    std::vector<Number> bias(has_bias ? std::min(period, total) : 0);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = Load(Data<T>(b)[i % channels]);

    const auto* source = Data<T>(x);
    auto* target = MutableData<T>(y);
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t start = chunk * period;
        BiasActForward(parameters_, source + start, has_bias ? bias.data() : nullptr, std::min(period, total - start),
                       target + start);
      }
    };
    RunSharded(context, (total + period - 1) / period, period * NanosecondsPerElement(parameters_.act), run);
  }

 private:
  BiasActParameters parameters_;
};

template <typename T>
class BiasActGradOp : public OpKernel {
 public:
  explicit BiasActGradOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES_OK(context, context->GetAttr("of_result", &of_result_));
    const bool piecewise = NanosecondsPerElement(parameters_.act) == kPiecewiseNanoseconds;
    OP_REQUIRES(context, !of_result_ || (piecewise && parameters_.alpha >= 0 && parameters_.gain >= 0),
                BadInput(
                    "of_result: expected a piecewise linear activation with neither alpha nor gain below 0"));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& at = context->input(1);
    OP_REQUIRES(context, dy.shape() == at.shape(),
                BadInput("dy: found shape ", dy.shape().DebugString(), ", expected ",
                                                    at.shape().DebugString()));
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, dy.shape(), &dx));
    const int64_t total = dy.NumElements();
    if (total == 0) return;
    const auto* source = Data<T>(dy);
    const auto* place = Data<T>(at);
    auto* target = MutableData<T>(dx);
    const auto run = [&](int64_t begin, int64_t end) {
      const int64_t start = begin * kChunk;
      BiasActBackward(parameters_, of_result_, source + start, place + start, std::min(end * kChunk, total) - start,
                      target + start);
    };
    RunSharded(context, (total + kChunk - 1) / kChunk, kChunk * NanosecondsPerElement(parameters_.act), run);
  }

 private:
  BiasActParameters parameters_;
  bool of_result_;
};

#define REGISTER(T)                                                                                              \
  REGISTER_KERNEL_BUILDER(Name("SgKerasBiasAct").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), BiasActOp<T>); \
  REGISTER_KERNEL_BUILDER(Name("SgKerasBiasActGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),      \
                          BiasActGradOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
