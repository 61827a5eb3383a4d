#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cpu.h"

#include <algorithm>

#include "custom_ops/common/cc/kernels/cpu_targets.h"

namespace sg_keras {
namespace {

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

// ------------------------------------------------------------------------------------------ inner loops
//
// kTaps is a constant for the usual filters, so that the taps are unrolled and the loop over elements vectorised.

// out[i] = sum over t of weights[t] * rows[t][i].
template <int kTaps, typename T, typename A>
SG_KERAS_INLINE void Combine(const T* const* rows, const A* weights, int64_t count, A* out) {
  A w[kTaps];
  const T* r[kTaps];
  for (int t = 0; t < kTaps; ++t) {
    w[t] = weights[t];
    r[t] = rows[t];
  }
  for (int64_t i = 0; i < count; ++i) {
    A sum = w[0] * Load(r[0][i]);
#pragma GCC unroll 8
    for (int t = 1; t < kTaps; ++t) sum += w[t] * Load(r[t][i]);
    out[i] = sum;
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void CombineAny(const T* const* rows, const A* weights, int64_t taps, int64_t count, A* out) {
  switch (taps) {
    case 0:
      std::fill(out, out + count, A(0));
      return;
    case 1:
      return Combine<1>(rows, weights, count, out);
    case 2:
      return Combine<2>(rows, weights, count, out);
    case 3:
      return Combine<3>(rows, weights, count, out);
    case 4:
      return Combine<4>(rows, weights, count, out);
    default:
      Combine<4>(rows, weights, count, out);
      for (int64_t t = 4; t < taps; ++t) {
        for (int64_t i = 0; i < count; ++i) out[i] += weights[t] * Load(rows[t][i]);
      }
  }
}

// Where a line of pixels of the result comes from.
template <typename A>
struct LinePlan {
  const int64_t* source;  // pixel of the line; its margins are before 0 and after the end
  const int64_t* phase;
  const A* weights;  // [phase][taps]
  int64_t taps;
  int64_t size;
  int64_t channels;
  bool shift_only;  // source[o] = source[0] + o and one phase: the line is one long vector
};

template <int kTaps, typename A, typename T>
SG_KERAS_INLINE void FilterVector(const A* line, const A* weights, int64_t stride, int64_t count, T* out) {
  A w[kTaps];
  for (int t = 0; t < kTaps; ++t) w[t] = weights[t];
  for (int64_t i = 0; i < count; ++i) {
    A sum = w[0] * line[i];
#pragma GCC unroll 8
    for (int t = 1; t < kTaps; ++t) sum += w[t] * line[t * stride + i];
    Store(sum, &out[i]);
  }
}

// Gray and RGB pixels have their number of channels as a constant too: their loops are too short to be worth starting.
template <int kTaps, int kChannels, typename A, typename T>
SG_KERAS_INLINE void FilterPixels(const LinePlan<A>& plan, const A* line, T* out) {
  const int64_t channels = kChannels > 0 ? kChannels : plan.channels;
  for (int64_t o = 0; o < plan.size; ++o) {
    FilterVector<kTaps>(line + plan.source[o] * channels, plan.weights + plan.phase[o] * kTaps, channels, channels,
                        out + o * channels);
  }
}

template <int kTaps, typename A, typename T>
SG_KERAS_INLINE void FilterLineOf(const LinePlan<A>& plan, const A* line, T* out) {
  if (plan.shift_only) {
    FilterVector<kTaps>(line + plan.source[0] * plan.channels, plan.weights, plan.channels, plan.size * plan.channels, out);
  } else if (plan.channels == 1) {
    FilterPixels<kTaps, 1>(plan, line, out);
  } else if (plan.channels == 3) {
    FilterPixels<kTaps, 3>(plan, line, out);
  } else {
    FilterPixels<kTaps, 0>(plan, line, out);
  }
}

template <typename A, typename T>
SG_KERAS_INLINE void FilterPixelsOfAnyLength(const LinePlan<A>& plan, const A* line, T* out) {
  constexpr int64_t kBlock = 64;
  for (int64_t o = 0; o < plan.size; ++o) {
    const A* source = line + plan.source[o] * plan.channels;
    const A* weights = plan.weights + plan.phase[o] * plan.taps;
    for (int64_t start = 0; start < plan.channels; start += kBlock) {
      const int64_t count = std::min(kBlock, plan.channels - start);
      A sum[kBlock] = {};
      for (int64_t t = 0; t < plan.taps; ++t) {
        for (int64_t c = 0; c < count; ++c) sum[c] += weights[t] * source[t * plan.channels + start + c];
      }
      for (int64_t c = 0; c < count; ++c) Store(sum[c], &out[o * plan.channels + start + c]);
    }
  }
}

template <typename A, typename T>
SG_KERAS_INLINE void FilterLineAny(const LinePlan<A>& plan, const A* line, T* out) {
  switch (plan.taps) {
    case 1:
      return FilterLineOf<1>(plan, line, out);
    case 2:
      return FilterLineOf<2>(plan, line, out);
    case 3:
      return FilterLineOf<3>(plan, line, out);
    case 4:
      return FilterLineOf<4>(plan, line, out);
    case 6:
      return FilterLineOf<6>(plan, line, out);
    case 12:
      return FilterLineOf<12>(plan, line, out);
    default:
      return FilterPixelsOfAnyLength(plan, line, out);
  }
}

// Target clones have to be plain functions.
#define DEFINE_LOOPS(T, A)                                                                                        \
  SG_KERAS_CPU_TARGETS void CombineRows(const T* const* rows, const A* weights, int64_t taps, int64_t count, A* out) { \
    CombineAny<T, A>(rows, weights, taps, count, out);                                                            \
  }                                                                                                               \
  SG_KERAS_CPU_TARGETS void FilterLine(const LinePlan<A>& plan, const A* line, T* out) {                          \
    FilterLineAny<A, T>(plan, line, out);                                                                         \
  }

DEFINE_LOOPS(float, float)
DEFINE_LOOPS(double, double)
DEFINE_LOOPS(BFloat16Bits, float)
#undef DEFINE_LOOPS

template <typename A>
LinePlan<A> LinePlanOf(const AxisPlan& plan, const AxisGeometry& x, const A* weights, int64_t channels) {
  return {plan.source.data(), plan.phase.data(), weights, plan.taps, x.output_size, channels, x.up == 1 && x.down == 1};
}

}  // namespace

// ------------------------------------------------------------------------------------------ plans

AxisPlan::AxisPlan(const AxisGeometry& geometry, int64_t filter_taps)
    : taps((filter_taps + geometry.up - 1) / geometry.up), geometry_(geometry), filter_taps_(filter_taps) {
  source.reserve(geometry.output_size);
  phase.reserve(geometry.output_size);
  int64_t first = 0;
  int64_t last = geometry.input_size - 1;
  for (int64_t o = 0; o < geometry.output_size; ++o) {
    const int64_t position = o * geometry.down - geometry.pad_before;
    const int64_t start = -FloorDivide(-position, geometry.up);  // first input at or after the position
    source.push_back(start);
    phase.push_back(start * geometry.up - position);  // its tap
    first = std::min(first, start);
    last = std::max(last, start + taps - 1);
  }
  margin_before = -first;
  margin_after = last - (geometry.input_size - 1);
}

template <typename A>
std::vector<A> AxisPlan::Weights(const std::vector<double>& filter) const {
  std::vector<A> weights(geometry_.up * taps, A(0));
  for (int64_t p = 0; p < geometry_.up; ++p) {
    for (int64_t t = 0; t < taps && p + t * geometry_.up < filter_taps_; ++t) {
      weights[p * taps + t] = static_cast<A>(filter[p + t * geometry_.up]);
    }
  }
  return weights;
}

// ------------------------------------------------------------------------------------------ rows of the result

template <typename T>
UpFirDn2d<T>::UpFirDn2d(const AxisGeometry& y, const AxisGeometry& x, const std::vector<double>& filter_y,
                        const std::vector<double>& filter_x, int64_t channels)
    : y_(y),
      x_(x),
      channels_(channels),
      separable_(true),
      plan_y_(y, filter_y.size()),
      plan_x_(x, filter_x.size()),
      weights_y_(plan_y_.template Weights<Number>(filter_y)),
      weights_x_{plan_x_.template Weights<Number>(filter_x)} {}

template <typename T>
UpFirDn2d<T>::UpFirDn2d(const AxisGeometry& y, const AxisGeometry& x, int64_t filter_height,
                        const std::vector<double>& filter, int64_t channels)
    : y_(y),
      x_(x),
      channels_(channels),
      separable_(false),
      plan_y_(y, filter_height),
      plan_x_(x, filter.size() / filter_height) {
  const int64_t filter_width = filter.size() / filter_height;
  for (int64_t row = 0; row < filter_height; ++row) {
    const auto first = filter.begin() + row * filter_width;
    weights_x_.push_back(plan_x_.template Weights<Number>(std::vector<double>(first, first + filter_width)));
  }
}

template <typename T>
void UpFirDn2d<T>::Rows(const T* input, int64_t begin, int64_t end, T* output) const {
  Scratch scratch;
  scratch.line.assign((plan_x_.margin_before + x_.input_size + plan_x_.margin_after) * channels_, Number(0));
  if (!separable_) {
    scratch.pass.resize(x_.output_size * channels_);
    scratch.sum.resize(x_.output_size * channels_);
  }
  for (int64_t row = begin; row < end; ++row) {
    const T* image = input + row / y_.output_size * (y_.input_size * x_.input_size * channels_);
    T* target = output + row * (x_.output_size * channels_);
    if (separable_) {
      SeparableRow(image, row % y_.output_size, &scratch, target);
    } else {
      MatrixRow(image, row % y_.output_size, &scratch, target);
    }
  }
}

// Vertical pass into the line, then horizontal pass from the line into the result.
template <typename T>
void UpFirDn2d<T>::SeparableRow(const T* image, int64_t row, Scratch* scratch, T* output) const {
  const int64_t row_elements = x_.input_size * channels_;
  const int64_t source = plan_y_.source[row];
  const int64_t first = std::max<int64_t>(source, 0);
  const int64_t last = std::min(source + plan_y_.taps, y_.input_size);
  scratch->rows.clear();
  for (int64_t y = first; y < last; ++y) scratch->rows.push_back(image + y * row_elements);
  const Number* weights = weights_y_.data() + plan_y_.phase[row] * plan_y_.taps + (first - source);
  Number* line = scratch->line.data() + plan_x_.margin_before * channels_;
  CombineRows(scratch->rows.data(), weights, scratch->rows.size(), row_elements, line);
  FilterLine(LinePlanOf(plan_x_, x_, weights_x_[0].data(), channels_), line, output);
}

template <typename T>
void UpFirDn2d<T>::MatrixRow(const T* image, int64_t row, Scratch* scratch, T* output) const {
  const int64_t row_elements = x_.input_size * channels_;
  const int64_t line_elements = x_.output_size * channels_;
  Number* line = scratch->line.data() + plan_x_.margin_before * channels_;
  std::fill(scratch->sum.begin(), scratch->sum.end(), Number(0));
  for (int64_t t = 0; t < plan_y_.taps; ++t) {
    const int64_t y = plan_y_.source[row] + t;
    const size_t filter_row = plan_y_.phase[row] + t * y_.up;
    if (y < 0 || y >= y_.input_size || filter_row >= weights_x_.size()) continue;
    const T* input_row = image + y * row_elements;
    const Number one = 1;
    CombineRows(&input_row, &one, 1, row_elements, line);
    FilterLine(LinePlanOf(plan_x_, x_, weights_x_[filter_row].data(), channels_), line, scratch->pass.data());
    for (int64_t i = 0; i < line_elements; ++i) scratch->sum[i] += scratch->pass[i];
  }
  for (int64_t i = 0; i < line_elements; ++i) Store(scratch->sum[i], &output[i]);
}

template class UpFirDn2d<float>;
template class UpFirDn2d<double>;
template class UpFirDn2d<BFloat16Bits>;

}  // namespace sg_keras
