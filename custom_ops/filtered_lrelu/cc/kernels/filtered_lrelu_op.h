// What the OpKernels of filtered_lrelu share on all devices: attributes, checks and outputs. Arithmetic is left to
// subclasses.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_OP_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_OP_H_

#include <limits>
#include <string>
#include <vector>

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"

namespace sg_keras {
namespace filtered_lrelu {

inline absl::Status GetList(tensorflow::OpKernelConstruction* context, const char* name, size_t size, int64_t minimum,
                            std::vector<int64_t>* list) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, list));
  if (list->size() != size) return BadInput(name, ": found ", list->size(), " numbers, expected ", size);
  for (int64_t number : *list) {
    if (number < minimum) return BadInput(name, ": found ", number, ", expected at least ", minimum);
  }
  return absl::OkStatus();
}

inline absl::Status GetFactor(tensorflow::OpKernelConstruction* context, const char* name, int64_t* factor) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, factor));
  if (*factor < 1) return BadInput(name, ": found ", *factor, ", expected at least 1");
  return absl::OkStatus();
}

// The attributes <name>_size, <name>_rows, <name>_columns and <name>_matrix.
inline absl::Status GetFilter(tensorflow::OpKernelConstruction* context, const std::string& name, FilterTaps* filter) {
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

inline absl::Status GetParameters(tensorflow::OpKernelConstruction* context, FilteredLreluParameters* parameters) {
  TF_RETURN_IF_ERROR(GetFactor(context, "up", &parameters->up));
  TF_RETURN_IF_ERROR(GetFactor(context, "down", &parameters->down));
  TF_RETURN_IF_ERROR(GetFilter(context, "up", &parameters->up_filter));
  TF_RETURN_IF_ERROR(GetFilter(context, "down", &parameters->down_filter));
  TF_RETURN_IF_ERROR(GetNumber(context, "gain", &parameters->gain));
  return GetNumber(context, "slope", &parameters->slope);
}

inline int64_t MaskBlocks(int64_t channels) { return (channels + kFilteredLreluBlock - 1) / kFilteredLreluBlock; }

// A call of either op. None of its images is empty.
struct FilteredLreluCall {
  FilteredLreluAxis vertical;
  FilteredLreluAxis horizontal;
  const tensorflow::Tensor* x;
  const tensorflow::Tensor* bias;  // [C] or [0]; null: slopes are read from the mask
  uint32_t* mask;
  tensorflow::Tensor* y;
  tensorflow::Tensor* channel_sums;  // null: not wanted
};

inline uint32_t* MaskWords(const tensorflow::Tensor& mask) { return reinterpret_cast<uint32_t*>(mask.data()); }

// Makes the outputs of SgKerasFilteredLrelu and leaves the rest to Run.
class FilteredLreluOpBase : public tensorflow::OpKernel {
 public:
  explicit FilteredLreluOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES_OK(context, GetNumber(context, "clamp", &parameters_.clamp));
    OP_REQUIRES_OK(context, GetList(context, "padding", 4, std::numeric_limits<int64_t>::min(), &padding_));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& b = context->input(1);
    OP_REQUIRES(context, x.dims() == 4,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
    const int64_t channels = x.dim_size(3);
    OP_REQUIRES(context, b.dims() == 1 && (b.NumElements() == 0 || b.NumElements() == channels),
                BadInput("b: found shape ", b.shape().DebugString(), " for x of shape ", x.shape().DebugString(),
                         ", expected [C] or [0]"));
    const FilteredLreluAxis y_axis = Axis(0, x.dim_size(1));
    const FilteredLreluAxis x_axis = Axis(1, x.dim_size(2));
    OP_REQUIRES(context, y_axis.output_size >= 1 && x_axis.output_size >= 1,
                BadInput("x: found shape ", x.shape().DebugString(), ", of which padding and filters leave no pixel"));
    tensorflow::Tensor* y = nullptr;
    tensorflow::Tensor* mask = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(
                                0, {x.dim_size(0), y_axis.output_size, x_axis.output_size, channels}, &y));
    OP_REQUIRES_OK(context,
                   context->allocate_output(
                       1, {x.dim_size(0), MaskBlocks(channels), y_axis.internal_size, x_axis.internal_size}, &mask));
    if (y->NumElements() == 0) return;
    Run(context, {y_axis, x_axis, &x, &b, MaskWords(*mask), y, nullptr});
  }

 protected:
  virtual void Run(tensorflow::OpKernelContext* context, const FilteredLreluCall& call) = 0;

  FilteredLreluParameters parameters_;

 private:
  FilteredLreluAxis Axis(int axis, int64_t input_size) const {
    const FilterTaps& up_filter = parameters_.up_filter;
    const FilterTaps& down_filter = parameters_.down_filter;
    const int64_t up_taps = axis == 0 ? up_filter.height : up_filter.width;
    const int64_t down_taps = axis == 0 ? down_filter.height : down_filter.width;
    const int64_t upsampled = input_size * parameters_.up + padding_[2 * axis] + padding_[2 * axis + 1] - up_taps + 1;
    const int64_t output = upsampled < down_taps ? 0 : (upsampled - down_taps) / parameters_.down + 1;
    return {input_size, (output - 1) * parameters_.down + down_taps, output, padding_[2 * axis], 0};
  }

  std::vector<int64_t> padding_;  // (y0, y1, x0, x1)
};

// Makes the outputs of SgKerasFilteredLreluMasked and leaves the rest to Run.
class FilteredLreluMaskedOpBase : public tensorflow::OpKernel {
 public:
  explicit FilteredLreluMaskedOpBase(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    constexpr int64_t kAny = std::numeric_limits<int64_t>::min();
    OP_REQUIRES_OK(context, GetParameters(context, &parameters_));
    OP_REQUIRES_OK(context, GetList(context, "pad_up", 2, kAny, &pad_up_));
    OP_REQUIRES_OK(context, GetList(context, "pad_down", 2, kAny, &pad_down_));
    OP_REQUIRES_OK(context, context->GetAttr("sum_channels", &sum_channels_));
    parameters_.clamp = std::numeric_limits<double>::infinity();
  }

  // `size` is in host memory on all devices.
  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& mask = context->input(1);
    const tensorflow::Tensor& size = context->input(2);
    OP_REQUIRES(context, x.dims() == 4,
                BadInput("x: found shape ", x.shape().DebugString(), ", expected [N, H, W, C]"));
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
    tensorflow::Tensor* y = nullptr;
    tensorflow::Tensor* sums = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {x.dim_size(0), height, width, channels}, &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, {sum_channels_ ? channels : 0}, &sums));
    if (y->NumElements() == 0) {
      if (sums->NumElements() > 0) ClearSums(context, sums);
      return;
    }
    OP_REQUIRES(context, x.NumElements() > 0 && mask.NumElements() > 0,
                BadInput("x, mask: found shapes ", x.shape().DebugString(), " and ", mask.shape().DebugString(),
                         ", expected images of at least 1x1"));
    const FilteredLreluAxis vertical{x.dim_size(1), mask.dim_size(2), height, pad_up_[0], pad_down_[0]};
    const FilteredLreluAxis horizontal{x.dim_size(2), mask.dim_size(3), width, pad_up_[1], pad_down_[1]};
    // The mask is only read: the arithmetic has one type for masks that are written and that are read.
    Run(context, {vertical, horizontal, &x, nullptr, MaskWords(mask), y, sum_channels_ ? sums : nullptr});
  }

 protected:
  virtual void Run(tensorflow::OpKernelContext* context, const FilteredLreluCall& call) = 0;
  virtual void ClearSums(tensorflow::OpKernelContext* context, tensorflow::Tensor* sums) = 0;

  FilteredLreluParameters parameters_;

 private:
  std::vector<int64_t> pad_up_, pad_down_;  // (y, x)
  bool sum_channels_;
};

}  // namespace filtered_lrelu
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_OP_H_
