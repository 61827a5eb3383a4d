// OpKernels of filtered_lrelu on CPUs.

#include "custom_ops/common/cc/kernels/kernel_helpers.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_op.h"

namespace sg_keras {
namespace filtered_lrelu {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr double kNanosecondsPerInternalPixel = 0.25;  // and channel
constexpr int64_t kTilesPerThread = 4;

// Computes all tiles on the device's threads.
template <typename T>
absl::Status RunTiles(OpKernelContext* context, const FilteredLreluParameters& parameters,
                      const FilteredLreluCall& call) {
  using Item = typename Element<T>::Type;
  using Number = typename Computation<Item>::Type;
  const int64_t images = call.x->dim_size(0);
  const int64_t channels = call.x->dim_size(3);
  const int64_t threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
  const int64_t least_tiles = threads > 1 ? kTilesPerThread * threads : 1;
  const FilteredLreluPlan<Number> plan(parameters, call.vertical, call.horizontal, images, channels);
  const FilteredLrelu<Item> computation(plan, /*masked=*/call.bias == nullptr, least_tiles);
  Tensor sums;
  Number* sums_data = nullptr;
  if (call.channel_sums != nullptr) {
    TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DataTypeToEnum<Number>::value,
                                              {computation.SumRows(), kFilteredLreluBlock}, &sums));
    sums_data = sums.flat<Number>().data();
  }
  const Item* input = Data<T>(*call.x);
  const Item* bias = call.bias != nullptr && call.bias->NumElements() > 0 ? Data<T>(*call.bias) : nullptr;
  Item* output = MutableData<T>(call.y);
  const auto run = [&](int64_t begin, int64_t end) {
    computation.Tiles(input, bias, begin, end, output, call.mask, sums_data);
  };
  const double internal_pixels = static_cast<double>(call.vertical.internal_size) * call.horizontal.internal_size;
  const double nanoseconds = internal_pixels * images * channels * kNanosecondsPerInternalPixel;
  RunSharded(context, computation.tiles(), nanoseconds / computation.tiles(), run);
  if (call.channel_sums != nullptr) computation.AddSums(sums_data, MutableData<T>(call.channel_sums));
  return absl::OkStatus();
}

template <typename T>
class FilteredLreluOp : public FilteredLreluOpBase {
 public:
  using FilteredLreluOpBase::FilteredLreluOpBase;

 protected:
  void Run(OpKernelContext* context, const FilteredLreluCall& call) override {
    OP_REQUIRES_OK(context, RunTiles<T>(context, parameters_, call));
  }
};

template <typename T>
class FilteredLreluMaskedOp : public FilteredLreluMaskedOpBase {
 public:
  using FilteredLreluMaskedOpBase::FilteredLreluMaskedOpBase;

 protected:
  void Run(OpKernelContext* context, const FilteredLreluCall& call) override {
    OP_REQUIRES_OK(context, RunTiles<T>(context, parameters_, call));
  }
  void ClearSums(OpKernelContext*, Tensor* sums) override { sums->flat<T>().setZero(); }
};

#define REGISTER(T)                                                                                           \
  REGISTER_KERNEL_BUILDER(Name("SgKeras>FilteredLrelu").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          FilteredLreluOp<T>);                                                                \
  REGISTER_KERNEL_BUILDER(                                                                                    \
      Name("SgKeras>FilteredLreluMasked").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),               \
      FilteredLreluMaskedOp<T>);
REGISTER(float)
REGISTER(double)
REGISTER(tensorflow::bfloat16)
#undef REGISTER

}  // namespace
}  // namespace filtered_lrelu
}  // namespace sg_keras
