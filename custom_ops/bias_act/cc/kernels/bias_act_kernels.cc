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
constexpr int64_t kShortestPeriod = 64;  // elements summed side by side
constexpr int64_t kLeastPeriods = 64;    // summed into one before memory is needed for the next
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
class ScaleBiasActOp : public OpKernel {
 public:
  explicit ScaleBiasActOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& scale = context->input(1);
    const Tensor& noise = context->input(2);
    const Tensor& b = context->input(3);
    OP_REQUIRES(context, x.dims() == 4, BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    const int64_t images = x.dim_size(0);
    const int64_t height = x.dim_size(1);
    const int64_t width = x.dim_size(2);
    const int64_t channels = x.dim_size(3);
    const bool has_noise = noise.NumElements() > 0;
    OP_REQUIRES(context, scale.shape() == tensorflow::TensorShape({images, channels}),
                BadInput("scale: found shape ", scale.shape().DebugString(), " for x of shape ",
                         x.shape().DebugString(), ", expected [N, C]"));
    OP_REQUIRES(context,
                !has_noise || noise.shape() == tensorflow::TensorShape({images, height, width, 1}) ||
                    noise.shape() == tensorflow::TensorShape({1, height, width, 1}),
                BadInput("noise: found shape ", noise.shape().DebugString(), " for x of shape ",
                         x.shape().DebugString(), ", expected [N, H, W, 1], [1, H, W, 1] or nothing"));
    OP_REQUIRES(context, b.shape() == tensorflow::TensorShape({channels}),
                BadInput("b: found shape ", b.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [C]"));
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    if (x.NumElements() == 0) return;
    const auto* source = Data<T>(x);
    const auto* scales = Data<T>(scale);
    const auto* noises = Data<T>(noise);
    const auto* bias = Data<T>(b);
    auto* target = MutableData<T>(y);
    const int64_t noise_images = noise.dim_size(0);
    const auto run = [&](int64_t begin, int64_t end) {  // rows of all images
      for (int64_t row = begin; row < end; ++row) {
        const int64_t image = row / height;
        const int64_t noise_row = noise_images == 1 ? row % height : row;
        const int64_t start = row * width * channels;
        ScaleBiasActForward(parameters_, source + start, scales + image * channels,
                            has_noise ? noises + noise_row * width : nullptr, bias, width, channels, target + start);
      }
    };
    RunSharded(context, images * height, width * channels * kPiecewiseNanoseconds, run);
  }

 private:
  BiasActParameters parameters_;
};

template <typename T>
class ScaleBiasActGradOp : public OpKernel {
 public:
  explicit ScaleBiasActGradOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES(context, parameters_.alpha >= 0 && parameters_.gain >= 0,
                BadInput("alpha, gain: found ", parameters_.alpha, " and ", parameters_.gain,
                         ", expected neither below 0: the slope is read from the result"));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& y = context->input(1);
    const Tensor& x = context->input(2);
    const Tensor& scale = context->input(3);
    OP_REQUIRES(context, x.dims() == 4 && dy.shape() == x.shape() && y.shape() == x.shape(),
                BadInput("dy, y, x: found shapes ", dy.shape().DebugString(), ", ", y.shape().DebugString(), ", ",
                         x.shape().DebugString(), ", expected the same [N, H, W, C]"));
    const int64_t images = x.dim_size(0);
    const int64_t pixels = x.dim_size(1) * x.dim_size(2);
    const int64_t channels = x.dim_size(3);
    OP_REQUIRES(context, scale.shape() == tensorflow::TensorShape({images, channels}),
                BadInput("scale: found shape ", scale.shape().DebugString(), " for x of shape ",
                         x.shape().DebugString(), ", expected [N, C]"));
    Tensor* dx = nullptr;
    Tensor* dscale = nullptr;
    Tensor* dnoise = nullptr;
    Tensor* db = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, {images, channels}, &dscale));
    OP_REQUIRES_OK(context, context->allocate_output(2, {images, x.dim_size(1), x.dim_size(2), 1}, &dnoise));
    OP_REQUIRES_OK(context, context->allocate_output(3, {images, channels}, &db));
    if (images * channels == 0) return;
    const auto run = [&](int64_t begin, int64_t end) {
      using Number = typename Computation<typename Element<T>::Type>::Type;
      std::vector<Number> scratch(4 * channels);
      Number* scale_sum = scratch.data() + 2 * channels;
      Number* bias_sum = scale_sum + channels;
      for (int64_t image = begin; image < end; ++image) {
        const int64_t start = image * pixels * channels;
        ScaleBiasActBackward(parameters_, Data<T>(dy) + start, Data<T>(y) + start, Data<T>(x) + start,
                             Data<T>(scale) + image * channels, pixels, channels, scratch.data(),
                             MutableData<T>(dx) + start, scale_sum, MutableData<T>(dnoise) + image * pixels, bias_sum);
        for (int64_t c = 0; c < channels; ++c) {
          Store(scale_sum[c], &MutableData<T>(dscale)[image * channels + c]);
          Store(bias_sum[c], &MutableData<T>(db)[image * channels + c]);
        }
      }
    };
    RunSharded(context, images, 2 * pixels * channels * kPiecewiseNanoseconds, run);
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
    OP_REQUIRES_OK(context, context->GetAttr("sum_bias", &sum_bias_));
    const bool piecewise = NanosecondsPerElement(parameters_.act) == kPiecewiseNanoseconds;
    OP_REQUIRES(context, !of_result_ || (piecewise && parameters_.alpha >= 0 && parameters_.gain >= 0),
                BadInput(
                    "of_result: expected a piecewise linear activation with neither alpha nor gain below 0"));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& at = context->input(1);
    OP_REQUIRES(context, dy.dims() >= 1 && dy.shape() == at.shape(),
                BadInput("dy: found shape ", dy.shape().DebugString(), ", expected ", at.shape().DebugString()));
    const int64_t channels = dy.dim_size(dy.dims() - 1);
    Tensor* dx = nullptr;
    Tensor* db = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, dy.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, {sum_bias_ ? channels : 0}, &db));
    const int64_t total = dy.NumElements();
    const auto* source = Data<T>(dy);
    const auto* place = Data<T>(at);
    auto* target = MutableData<T>(dx);

    // Blocks that depend on the shape alone. A block's sums are taken while it is in the cache, over a period of
    // several pixels where there are few channels, and the blocks' sums are then added in their order.
    const int64_t period = channels * std::max<int64_t>(1, kShortestPeriod / std::max<int64_t>(1, channels));
    const int64_t block = period * std::max<int64_t>(kChunk / std::max<int64_t>(1, period), kLeastPeriods);
    const int64_t num_blocks = total == 0 ? 0 : (total + block - 1) / block;
    std::vector<Number> sums(sum_bias_ ? num_blocks * period : 0);
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t start = b * block;
        const int64_t count = std::min(block, total - start);
        BiasActBackward(parameters_, of_result_, source + start, place + start, count, target + start);
        if (!sum_bias_) continue;
        const int64_t whole = count - count % period;
        SumPeriods(target + start, whole, period, &sums[b * period]);
        SumPeriods(target + start + whole, count - whole, std::max<int64_t>(1, count - whole), &sums[b * period]);
      }
    };
    RunSharded(context, num_blocks, block * NanosecondsPerElement(parameters_.act), run);
    if (sum_bias_) AddBlocks(sums, channels, MutableData<T>(db));
  }

 private:
  using Number = typename Computation<typename Element<T>::Type>::Type;

  static void AddBlocks(const std::vector<Number>& sums, int64_t channels, typename Element<T>::Type* db) {
    std::vector<Number> totals(channels);
    SumPeriods(sums.data(), sums.size(), std::max<int64_t>(1, channels), totals.data());
    for (int64_t c = 0; c < channels; ++c) Store(totals[c], &db[c]);
  }

  BiasActParameters parameters_;
  bool of_result_;
  bool sum_bias_;
};

#define REGISTER(T)                                                                                              \
  REGISTER_KERNEL_BUILDER(Name("SgKerasBiasAct").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), BiasActOp<T>); \
  REGISTER_KERNEL_BUILDER(Name("SgKerasScaleBiasAct").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),     \
                          ScaleBiasActOp<T>);                                                                    \
  REGISTER_KERNEL_BUILDER(Name("SgKerasScaleBiasActGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          ScaleBiasActGradOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(Name("SgKerasBiasActGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),      \
                          BiasActGradOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
