// OpKernels of filtered_lrelu on GPUs.

#include <cmath>

#include "custom_ops/common/cc/kernels/gpu_stream.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_op.h"

namespace sg_keras {
namespace filtered_lrelu {
namespace {

using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// Taps as the launcher takes them: of the rows, then of the columns, or a matrix.
std::vector<double> LauncherTaps(const FilterTaps& filter) {
  if (!filter.matrix.empty()) return filter.matrix;
  std::vector<double> taps = filter.rows;
  taps.insert(taps.end(), filter.columns.begin(), filter.columns.end());
  return taps;
}

template <typename T>
SgKerasFilteredLrelu LauncherCall(const FilteredLreluParameters& parameters, const FilteredLreluCall& call) {
  SgKerasFilteredLrelu launch = {};
  launch.type = GpuType<T>();
  launch.masked = call.bias == nullptr;
  launch.images = call.x->dim_size(0);
  launch.channels = call.x->dim_size(3);
  launch.input_height = call.vertical.input_size;
  launch.input_width = call.horizontal.input_size;
  launch.internal_height = call.vertical.internal_size;
  launch.internal_width = call.horizontal.internal_size;
  launch.output_height = call.vertical.output_size;
  launch.output_width = call.horizontal.output_size;
  launch.up = parameters.up;
  launch.down = parameters.down;
  launch.pad_up_y = call.vertical.pad_up;
  launch.pad_up_x = call.horizontal.pad_up;
  launch.pad_down_y = call.vertical.pad_down;
  launch.pad_down_x = call.horizontal.pad_down;
  launch.up_filter_height = parameters.up_filter.height;
  launch.up_filter_width = parameters.up_filter.width;
  launch.down_filter_height = parameters.down_filter.height;
  launch.down_filter_width = parameters.down_filter.width;
  launch.up_separable = parameters.up_filter.matrix.empty();
  launch.down_separable = parameters.down_filter.matrix.empty();
  launch.gain = parameters.gain;
  launch.slope = parameters.slope;
  launch.clamp = parameters.clamp;
  launch.x = GpuData(*call.x);
  launch.bias = call.bias != nullptr && call.bias->NumElements() > 0 ? GpuData(*call.bias) : nullptr;
  launch.y = GpuData(call.y);
  launch.mask = call.mask;
  launch.sums = call.channel_sums == nullptr ? nullptr : GpuData(call.channel_sums);
  return launch;
}

template <typename T>
absl::Status Launch(OpKernelContext* context, const FilteredLreluParameters& parameters,
                    const FilteredLreluCall& call) {
  SgKerasFilteredLrelu launch = LauncherCall<T>(parameters, call);
  const std::vector<double> up_taps = LauncherTaps(parameters.up_filter);
  const std::vector<double> down_taps = LauncherTaps(parameters.down_filter);
  launch.up_filter = up_taps.data();
  launch.down_filter = down_taps.data();
  Tensor workspace;
  TF_RETURN_IF_ERROR(AllocateWorkspace(context, sg_keras_cuda_filtered_lrelu_workspace(&launch), &workspace));
  launch.workspace = GpuData(&workspace);
  return GpuStatus("filtered_lrelu", sg_keras_cuda_filtered_lrelu(&launch, GpuStream(context)));
}

template <typename T>
class FilteredLreluGpuOp : public FilteredLreluOpBase {
 public:
  using FilteredLreluOpBase::FilteredLreluOpBase;

 protected:
  void Run(OpKernelContext* context, const FilteredLreluCall& call) override {
    OP_REQUIRES_OK(context, Launch<T>(context, parameters_, call));
  }
};

template <typename T>
class FilteredLreluMaskedGpuOp : public FilteredLreluMaskedOpBase {
 public:
  using FilteredLreluMaskedOpBase::FilteredLreluMaskedOpBase;

 protected:
  void Run(OpKernelContext* context, const FilteredLreluCall& call) override {
    OP_REQUIRES_OK(context, Launch<T>(context, parameters_, call));
  }
  void ClearSums(OpKernelContext* context, Tensor* sums) override {
    SgKerasFilteredLrelu launch = {};
    launch.type = GpuType<T>();
    launch.channels = sums->NumElements();
    launch.sums = GpuData(sums);
    OP_REQUIRES_OK(context, GpuStatus("filtered_lrelu", sg_keras_cuda_filtered_lrelu(&launch, GpuStream(context))));
  }
};

#define REGISTER(T)                                                                                              \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>FilteredLrelu").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"),    \
                          FilteredLreluGpuOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(                                                                                       \
      Name("SgKeras>FilteredLreluMasked").Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T").HostMemory("size"), \
      FilteredLreluMaskedGpuOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(Eigen::half)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace filtered_lrelu
}  // namespace sg_keras
