// The arithmetic of upfirdn2d on channels-last images, free of TensorFlow.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CPU_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CPU_H_

#include <cstdint>
#include <vector>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_lines_cpu.h"

namespace sg_keras {

struct AxisGeometry {
  int64_t up;
  int64_t down;
  int64_t pad_before;
  int64_t input_size;
  int64_t output_size;
};

// Which inputs an axis of the result reads. Zeros inserted by upsampling are never touched: result o depends on `taps`
// neighbouring inputs from source[o] on (possibly outside the image), by the weights of its phase.
struct AxisPlan {
  AxisPlan(const AxisGeometry& geometry, int64_t filter_taps);

  int64_t taps;
  std::vector<int64_t> source;
  std::vector<int64_t> phase;
  int64_t margin_before;  // so many zeros before the inputs
  int64_t margin_after;   // and after them spare every bounds check

  // Weights [phase][taps] of a filter.
  template <typename A>
  std::vector<A> Weights(const std::vector<double>& filter) const;

 private:
  AxisGeometry geometry_;
  int64_t filter_taps_;
};

// One resampling of images of `channels` channels. Computes rows of the result, each independently of the others.
template <typename T>
class UpFirDn2d {
 public:
  using Number = typename Computation<T>::Type;

  // A separable filter.
  UpFirDn2d(const AxisGeometry& y, const AxisGeometry& x, const std::vector<double>& filter_y,
            const std::vector<double>& filter_x, int64_t channels);
  // Any filter, given row by row.
  UpFirDn2d(const AxisGeometry& y, const AxisGeometry& x, int64_t filter_height, const std::vector<double>& filter,
            int64_t channels);

  // Computes rows begin..end-1, counted over all images of the batch.
  void Rows(const T* input, int64_t begin, int64_t end, Destination destination, T* output) const;

 private:
  // Memory that the rows of one call share.
  struct Scratch {
    std::vector<Number> line;  // a line of the image, after the vertical pass, with margins of zeros
    std::vector<Number> sum;   // matrix: the sum of the line through each row of the filter
    std::vector<T> result;     // pixels on their way to memory
    std::vector<const T*> rows;
  };

  // Pixels begin..end-1 of a row of the result.
  struct Part {
    int64_t row;
    int64_t begin;
    int64_t end;
  };

  void ComputeSeparable(const T* image, const Part& part, Scratch* scratch, T* output) const;
  void ComputeMatrix(const T* image, const Part& part, Scratch* scratch, T* output) const;
  LinePlan<Number> LinePlanOf(const Part& part, const std::vector<Number>& weights) const;
  // Pixels of the result that are gathered on their way to memory.
  int64_t ResultSize() const;
  // Pixels of a line that the part depends on, without those outside the image: [first, last).
  void SourcesOf(const Part& part, int64_t* first, int64_t* last) const;

  AxisGeometry y_;
  AxisGeometry x_;
  int64_t channels_;
  bool separable_;
  AxisPlan plan_y_;
  AxisPlan plan_x_;
  int64_t part_size_;  // pixels of a row of the result that are computed at a time
  std::vector<Number> weights_y_;               // separable: [phase][taps]
  std::vector<std::vector<Number>> weights_x_;  // one separable filter, or a row of the matrix each
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_CPU_H_
