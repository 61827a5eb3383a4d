// OpKernels of bias_act on CPUs.

#include <algorithm>
#include <numeric>
#include <vector>

#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"
#include "custom_ops/bias_act/cc/kernels/bias_act_op.h"
#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr int64_t kChunk = 4096;  // elements handled by one call of the arithmetic: a few pages
constexpr int64_t kWholeLines = 32;    // elements that fill cache lines, whatever their type
constexpr int64_t kLeastPeriods = 64;  // summed into one before memory is needed for the next
constexpr double kPiecewiseNanoseconds = 0.4;
constexpr double kSmoothNanoseconds = 6.0;

double NanosecondsPerElement(Activation act) {
  return IsPiecewiseLinear(act) ? kPiecewiseNanoseconds : kSmoothNanoseconds;
}

// Where a result goes. One that lies where an input was is in the cache already.
Destination DestinationBeside(const void* input, const Tensor& result) {
  const bool is_aligned = reinterpret_cast<uintptr_t>(result.data()) % kStoredWord == 0;
  return is_aligned && result.data() != input ? DestinationOf(result.TotalBytes()) : Destination::kCache;
}

template <typename T>
class BiasActOp : public BiasActOpBase {
 public:
  using BiasActOpBase::BiasActOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& b, Tensor* y) override {
    // The bias, repeated to a length worth a vectorised loop whatever the number of channels.
    using Number = typename Computation<typename Element<T>::Type>::Type;
    const int64_t total = x.NumElements();
    const int64_t channels = x.dim_size(x.dims() - 1);
    const bool has_bias = b.NumElements() > 0;
    const int64_t unit = std::lcm(channels, kWholeLines);
    const int64_t period = has_bias ? unit * std::max<int64_t>(1, kChunk / unit) : kChunk;
    std::vector<Number> bias(has_bias ? std::min(period, total) : 0);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = Load(Data<T>(b)[i % channels]);

    const auto* source = Data<T>(x);
    auto* target = MutableData<T>(y);
    const Destination destination = DestinationBeside(source, *y);
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t start = chunk * period;
        BiasActForward(parameters_, source + start, has_bias ? bias.data() : nullptr, std::min(period, total - start),
                       destination, target + start);
      }
      FinishStores();
    };
    RunSharded(context, (total + period - 1) / period, period * NanosecondsPerElement(parameters_.act), run);
  }
};

template <typename T>
class ScaleBiasActOp : public ScaleBiasActOpBase {
 public:
  using ScaleBiasActOpBase::ScaleBiasActOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& x, const Tensor& scale, const Tensor& noise, const Tensor& b,
           Tensor* y) override {
    const int64_t height = x.dim_size(1);
    const int64_t width = x.dim_size(2);
    const int64_t channels = x.dim_size(3);
    const bool has_noise = noise.NumElements() > 0;
    const auto* source = Data<T>(x);
    const auto* scales = Data<T>(scale);
    const auto* noises = Data<T>(noise);
    const auto* bias = Data<T>(b);
    auto* target = MutableData<T>(y);
    const bool pixels_are_aligned = channels * sizeof(*target) % kStoredWord == 0;
    const Destination destination = pixels_are_aligned ? DestinationBeside(source, *y) : Destination::kCache;
    const int64_t noise_images = noise.dim_size(0);
    const auto run = [&](int64_t begin, int64_t end) {  // rows of all images
      for (int64_t row = begin; row < end; ++row) {
        const int64_t image = row / height;
        const int64_t noise_row = noise_images == 1 ? row % height : row;
        const int64_t start = row * width * channels;
        ScaleBiasActForward(parameters_, source + start, scales + image * channels,
                            has_noise ? noises + noise_row * width : nullptr, bias, width, channels, destination,
                            target + start);
      }
      FinishStores();
    };
    RunSharded(context, x.dim_size(0) * height, width * channels * kPiecewiseNanoseconds, run);
  }
};

template <typename T>
class ScaleBiasActGradOp : public ScaleBiasActGradOpBase {
 public:
  using ScaleBiasActGradOpBase::ScaleBiasActGradOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensors& tensors) override {
    const int64_t images = tensors.x.dim_size(0);
    const int64_t pixels = tensors.x.dim_size(1) * tensors.x.dim_size(2);
    const int64_t channels = tensors.x.dim_size(3);
    const auto run = [&](int64_t begin, int64_t end) {
      using Number = typename Computation<typename Element<T>::Type>::Type;
      std::vector<Number> scratch(4 * channels);
      Number* scale_sum = scratch.data() + 2 * channels;
      Number* bias_sum = scale_sum + channels;
      for (int64_t image = begin; image < end; ++image) {
        const int64_t start = image * pixels * channels;
        ScaleBiasActBackward(parameters_, Data<T>(tensors.dy) + start, Data<T>(tensors.y) + start,
                             Data<T>(tensors.x) + start, Data<T>(tensors.scale) + image * channels, pixels, channels,
                             scratch.data(), MutableData<T>(tensors.dx) + start, scale_sum,
                             MutableData<T>(tensors.dnoise) + image * pixels, bias_sum);
        for (int64_t c = 0; c < channels; ++c) {
          Store(scale_sum[c], &MutableData<T>(tensors.dscale)[image * channels + c]);
          Store(bias_sum[c], &MutableData<T>(tensors.db)[image * channels + c]);
        }
      }
    };
    RunSharded(context, images, 2 * pixels * channels * kPiecewiseNanoseconds, run);
  }
};

template <typename T>
class BiasActGradOp : public BiasActGradOpBase {
 public:
  using BiasActGradOpBase::BiasActGradOpBase;

 protected:
  void Run(OpKernelContext* context, const Tensor& dy, const Tensor& at, int64_t channels, Tensor* dx,
           Tensor* db) override {
    const int64_t total = dy.NumElements();
    const auto* source = Data<T>(dy);
    const auto* place = Data<T>(at);
    auto* target = MutableData<T>(dx);
    const Destination destination = DestinationBeside(source, *dx);

    // Blocks that depend on the shape alone. A block's sums are taken as it is computed, over a period of several
    // pixels where that makes whole vectors, and the blocks' sums are then added in their order.
    const int64_t period = std::lcm(channels, kPeriodUnit);
    const int64_t block = period * std::max<int64_t>(kChunk / period, kLeastPeriods);
    const int64_t num_blocks = (total + block - 1) / block;
    std::vector<Number> sums(sum_bias_ ? num_blocks * period : 0);
    const auto run = [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t start = b * block;
        BiasActBackward(parameters_, of_result_, source + start, place + start, std::min(block, total - start),
                        destination, target + start, period, sum_bias_ ? &sums[b * period] : nullptr);
      }
      FinishStores();
    };
    RunSharded(context, num_blocks, block * NanosecondsPerElement(parameters_.act), run);
    if (sum_bias_) AddBlocks(sums, channels, MutableData<T>(db));
  }

 private:
  using Number = typename Computation<typename Element<T>::Type>::Type;

  static void AddBlocks(const std::vector<Number>& sums, int64_t channels, typename Element<T>::Type* db) {
    std::vector<Number> totals(channels);
    SumPeriods(sums.data(), sums.size(), channels, totals.data());
    for (int64_t c = 0; c < channels; ++c) Store(totals[c], &db[c]);
  }
};

#define REGISTER(T)                                                                                              \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>BiasAct").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), BiasActOp<T>); \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ScaleBiasAct").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),     \
                          ScaleBiasActOp<T>);                                                                    \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>ScaleBiasActGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          ScaleBiasActGradOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>BiasActGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),      \
                          BiasActGradOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
