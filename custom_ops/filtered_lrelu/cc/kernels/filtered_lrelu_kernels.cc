// OpKernels of filtered_lrelu on CPUs.

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"

namespace sg_keras {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerInternalPixel = 0.25;  // and channel
constexpr int64_t kTilesPerThread = 4;

absl::Status GetList(OpKernelConstruction* context, const char* name, size_t size, int64_t minimum,
                     std::vector<int64_t>* list) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, list));
  if (list->size() != size) return BadInput(name, ": found ", list->size(), " numbers, expected ", size);
  for (int64_t number : *list) {
    if (number < minimum) return BadInput(name, ": found ", number, ", expected at least ", minimum);
  }
  return absl::OkStatus();
}

absl::Status GetFactor(OpKernelConstruction* context, const char* name, int64_t* factor) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, factor));
  if (*factor < 1) return BadInput(name, ": found ", *factor, ", expected at least 1");
  return absl::OkStatus();
}

// The attributes <name>_size, <name>_rows, <name>_columns and <name>_matrix.
absl::Status GetFilter(OpKernelConstruction* context, const std::string& name, FilterTaps* filter) {
  std::vector<int64_t> size;
  TF_RETURN_IF_ERROR(GetList(context, (name + "_size").c_str(), 2, 1, &size));
  TF_RETURN_IF_ERROR(GetNumbers(context, (name + "_rows").c_str(), &filter->rows));
  TF_RETURN_IF_ERROR(GetNumbers(context, (name + "_columns").c_str(), &filter->columns));
  TF_RETURN_IF_ERROR(GetNumbers(context, (name + "_matrix").c_str(), &filter->matrix));
  filter->height = size[0];
  filter->width = size[1];
  const size_t rows = filter->rows.size();
  const size_t columns = filter->columns.size();
  const size_t taps = filter->matrix.size();
  const bool separable = taps == 0 && rows == static_cast<size_t>(size[0]) && columns == static_cast<size_t>(size[1]);
  const bool matrix = rows == 0 && columns == 0 && taps == static_cast<size_t>(size[0] * size[1]);
  if (!separable && !matrix) {
    return BadInput(name, "_size: found ", size[0], "x", size[1], " with ", rows, " taps in rows, ", columns,
                    " in columns and ", taps, " in the matrix");
  }
  return absl::OkStatus();
}

absl::Status GetParameters(OpKernelConstruction* context, FilteredLreluParameters* parameters) {
  TF_RETURN_IF_ERROR(GetFactor(context, "up", &parameters->up));
  TF_RETURN_IF_ERROR(GetFactor(context, "down", &parameters->down));
  TF_RETURN_IF_ERROR(GetFilter(context, "up", &parameters->up_filter));
  TF_RETURN_IF_ERROR(GetFilter(context, "down", &parameters->down_filter));
  TF_RETURN_IF_ERROR(GetNumber(context, "gain", &parameters->gain));
  return GetNumber(context, "slope", &parameters->slope);
}

int64_t MaskBlocks(int64_t channels) { return (channels + kFilteredLreluBlock - 1) / kFilteredLreluBlock; }

template <typename T>
class FilteredLreluOpBase : public OpKernel {
 public:
  using Item = typename Element<T>::Type;
  using Number = typename Computation<Item>::Type;

  explicit FilteredLreluOpBase(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
  }

 protected:
  // Computes all tiles on the device's threads. `bias` may have no elements; `channel_sums` may be null.
  absl::Status Run(OpKernelContext* context, const FilteredLreluAxis& vertical, const FilteredLreluAxis& horizontal,
                   const Tensor& x, const Tensor* bias, uint32_t* mask, Tensor* y, Tensor* channel_sums) const {
    const int64_t images = x.dim_size(0);
    const int64_t channels = x.dim_size(3);
    const int64_t threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const FilteredLreluPlan<Number> plan(parameters_, vertical, horizontal, images, channels);
    const FilteredLrelu<Item> computation(plan, /*masked=*/bias == nullptr, threads > 1 ? kTilesPerThread * threads : 1);
    Tensor sums;
    Number* sums_data = nullptr;
    if (channel_sums != nullptr) {
      TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DataTypeToEnum<Number>::value,
                                                {computation.SumRows(), kFilteredLreluBlock}, &sums));
      sums_data = sums.flat<Number>().data();
    }
    const auto* input = Data<T>(x);
    const Item* bias_data = bias != nullptr && bias->NumElements() > 0 ? Data<T>(*bias) : nullptr;
    auto* output = MutableData<T>(y);
    const auto run = [&](int64_t begin, int64_t end) {
      computation.Tiles(input, bias_data, begin, end, output, mask, sums_data);
    };
    const double pixels = static_cast<double>(vertical.internal_size) * horizontal.internal_size * images * channels;
    RunSharded(context, computation.tiles(), pixels * kNanosecondsPerInternalPixel / computation.tiles(), run);
    if (channel_sums != nullptr) computation.AddSums(sums_data, MutableData<T>(channel_sums));
    return absl::OkStatus();
  }

  FilteredLreluParameters parameters_;
};

template <typename T>
class FilteredLreluOp : public FilteredLreluOpBase<T> {
 public:
  explicit FilteredLreluOp(OpKernelConstruction* context) : FilteredLreluOpBase<T>(context) {
    OP_REQUIRES_OK(context, GetNumber(context, "clamp", &this->parameters_.clamp));
    OP_REQUIRES_OK(context, GetList(context, "padding", 4, std::numeric_limits<int64_t>::min(), &padding_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& b = context->input(1);
    OP_REQUIRES(context, x.dims() == 4, BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    const int64_t channels = x.dim_size(3);
    OP_REQUIRES(context, b.dims() == 1 && (b.NumElements() == 0 || b.NumElements() == channels),
                BadInput("b: found shape ", b.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [C] or [0]"));
    FilteredLreluAxis axes[2];
    for (int axis : {0, 1}) {
      axes[axis] = Axis(axis, x.dim_size(1 + axis));
      OP_REQUIRES(context, axes[axis].output_size >= 1,
                  BadInput("x: found shape ", x.shape().DebugString(), ", of which padding and filters leave no pixel"));
    }
    Tensor* y = nullptr;
    Tensor* mask = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(
                                0, {x.dim_size(0), axes[0].output_size, axes[1].output_size, channels}, &y));
    OP_REQUIRES_OK(context, context->allocate_output(1,
                                                     {x.dim_size(0), MaskBlocks(channels), axes[0].internal_size,
                                                      axes[1].internal_size},
                                                     &mask));
    if (y->NumElements() == 0) return;
    auto* words = reinterpret_cast<uint32_t*>(mask->flat<int32_t>().data());
    OP_REQUIRES_OK(context, this->Run(context, axes[0], axes[1], x, &b, words, y, nullptr));
  }

 private:
  FilteredLreluAxis Axis(int axis, int64_t input_size) const {
    const FilterTaps& up_filter = this->parameters_.up_filter;
    const FilterTaps& down_filter = this->parameters_.down_filter;
    const int64_t up_taps = axis == 0 ? up_filter.height : up_filter.width;
    const int64_t down_taps = axis == 0 ? down_filter.height : down_filter.width;
    const int64_t upsampled =
        input_size * this->parameters_.up + padding_[2 * axis] + padding_[2 * axis + 1] - up_taps + 1;
    const int64_t output = upsampled < down_taps ? 0 : (upsampled - down_taps) / this->parameters_.down + 1;
    return {input_size, (output - 1) * this->parameters_.down + down_taps, output, padding_[2 * axis], 0};
  }

  std::vector<int64_t> padding_;  // (y0, y1, x0, x1)
};

template <typename T>
class FilteredLreluMaskedOp : public FilteredLreluOpBase<T> {
 public:
  explicit FilteredLreluMaskedOp(OpKernelConstruction* context) : FilteredLreluOpBase<T>(context) {
    constexpr int64_t kAny = std::numeric_limits<int64_t>::min();
    OP_REQUIRES_OK(context, GetList(context, "pad_up", 2, kAny, &pad_up_));
    OP_REQUIRES_OK(context, GetList(context, "pad_down", 2, kAny, &pad_down_));
    OP_REQUIRES_OK(context, context->GetAttr("sum_channels", &sum_channels_));
    this->parameters_.clamp = std::numeric_limits<double>::infinity();
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& mask = context->input(1);
    const Tensor& size = context->input(2);
    OP_REQUIRES(context, x.dims() == 4, BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    const int64_t channels = x.dim_size(3);
    OP_REQUIRES(context,
                mask.dims() == 4 && mask.dim_size(0) == x.dim_size(0) && mask.dim_size(1) == MaskBlocks(channels),
                BadInput("mask: found shape ", mask.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [N, C / 16, height, width]"));
    OP_REQUIRES(context, size.dims() == 1 && size.NumElements() == 2,
                BadInput("size: found shape ", size.shape().DebugString(), ", expected (height, width)"));
    const int64_t height = size.vec<int32_t>()(0);
    const int64_t width = size.vec<int32_t>()(1);
    OP_REQUIRES(context, height >= 1 && width >= 1,
                BadInput("size: found ", height, "x", width, ", expected at least 1x1"));
    Tensor* y = nullptr;
    Tensor* channel_sums = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {x.dim_size(0), height, width, channels}, &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, {sum_channels_ ? channels : 0}, &channel_sums));
    if (y->NumElements() == 0) {
      channel_sums->flat<T>().setZero();
      return;
    }
    OP_REQUIRES(context, x.NumElements() > 0 && mask.NumElements() > 0,
                BadInput("x, mask: found shapes ", x.shape().DebugString(), " and ", mask.shape().DebugString(),
                         ", expected images of at least 1x1"));
    const FilteredLreluAxis vertical{x.dim_size(1), mask.dim_size(2), height, pad_up_[0], pad_down_[0]};
    const FilteredLreluAxis horizontal{x.dim_size(2), mask.dim_size(3), width, pad_up_[1], pad_down_[1]};
    // Only read: the arithmetic has one type for masks that are written and that are read.
    auto* words = reinterpret_cast<uint32_t*>(const_cast<int32_t*>(mask.flat<int32_t>().data()));
    OP_REQUIRES_OK(context, this->Run(context, vertical, horizontal, x, nullptr, words, y,
                                      sum_channels_ ? channel_sums : nullptr));
  }

 private:
  std::vector<int64_t> pad_up_, pad_down_;  // (y, x)
  bool sum_channels_;
};

#define REGISTER(T)                                                                                           \
  REGISTER_KERNEL_BUILDER(Name("SgKerasFilteredLrelu").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          FilteredLreluOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(                                                                                    \
      Name("SgKerasFilteredLreluMasked").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),               \
      FilteredLreluMaskedOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace sg_keras
