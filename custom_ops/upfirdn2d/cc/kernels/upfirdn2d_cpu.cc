#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cpu.h"

#include <algorithm>

namespace sg_keras {
namespace {

// Rows of the result are computed in parts, and many rows of one part after another: what the rows of a part read then
// stays in the first-level cache.
constexpr int64_t kPartBytes = 36 << 10;  // of the inputs, line and result of a row of a part
constexpr int64_t kRowsOfPart = 64;
constexpr int64_t kBufferBytes = 4 << 10;  // of results on their way to memory; larger: reading and writing take turns

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

int64_t PartSize(const AxisGeometry& x, const AxisPlan& plan_y, const AxisPlan& plan_x, int64_t pixel_bytes) {
  const int64_t bytes = pixel_bytes * (plan_y.taps + 1 + std::max<int64_t>(1, x.up / x.down));  // of one of the line
  // Neighbouring parts both compute the pixels of the line that the filter reaches beyond its first: these must be few.
  const int64_t line = std::max(kPartBytes / bytes, 4 * plan_x.taps);
  const int64_t size = std::max<int64_t>(1, line * x.up / x.down);
  const int64_t parts = (x.output_size + size - 1) / size;
  return (x.output_size + parts - 1) / parts;
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
      part_size_(PartSize(x, plan_y_, plan_x_, channels * sizeof(Number))),
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
      plan_x_(x, filter.size() / filter_height),
      part_size_(PartSize(x, plan_y_, plan_x_, channels * sizeof(Number))) {
  const int64_t filter_width = filter.size() / filter_height;
  for (int64_t row = 0; row < filter_height; ++row) {
    const auto first = filter.begin() + row * filter_width;
    weights_x_.push_back(plan_x_.template Weights<Number>(std::vector<double>(first, first + filter_width)));
  }
}

template <typename T>
void UpFirDn2d<T>::Rows(const T* input, int64_t begin, int64_t end, Destination destination, T* output) const {
  Scratch scratch;
  scratch.line.assign((plan_x_.margin_before + x_.input_size + plan_x_.margin_after) * channels_, Number(0));
  if (!separable_) scratch.sum.resize(part_size_ * channels_);
  if (destination == Destination::kMemory) scratch.result.resize(ResultSize() * channels_);
  for (int64_t first = begin; first < end; first += kRowsOfPart) {
    const int64_t last = std::min(first + kRowsOfPart, end);
    for (int64_t pixel = 0; pixel < x_.output_size; pixel += part_size_) {
      for (int64_t row = first; row < last; ++row) {
        const Part part = {row % y_.output_size, pixel, std::min(pixel + part_size_, x_.output_size)};
        const T* image = input + row / y_.output_size * (y_.input_size * x_.input_size * channels_);
        T* target = output + (row * x_.output_size + pixel) * channels_;
        if (separable_) {
          ComputeSeparable(image, part, &scratch, target);
        } else {
          ComputeMatrix(image, part, &scratch, target);
        }
      }
    }
  }
  if (destination == Destination::kMemory) FinishStores();
}

template <typename T>
int64_t UpFirDn2d<T>::ResultSize() const {
  const int64_t pixels = kBufferBytes / static_cast<int64_t>(channels_ * sizeof(T));
  return std::clamp<int64_t>(pixels, 1, part_size_);
}

template <typename T>
void UpFirDn2d<T>::SourcesOf(const Part& part, int64_t* first, int64_t* last) const {
  *first = std::clamp<int64_t>(plan_x_.source[part.begin], 0, x_.input_size);
  *last = std::clamp<int64_t>(plan_x_.source[part.end - 1] + plan_x_.taps, *first, x_.input_size);
}

template <typename T>
LinePlan<typename UpFirDn2d<T>::Number> UpFirDn2d<T>::LinePlanOf(const Part& part,
                                                                 const std::vector<Number>& weights) const {
  return {plan_x_.source.data() + part.begin,
          plan_x_.phase.data() + part.begin,
          weights.data(),
          plan_x_.taps,
          part.end - part.begin,
          channels_,
          x_.up,
          x_.down};
}

// Vertical pass into the line, then horizontal pass from the line into the result.
template <typename T>
void UpFirDn2d<T>::ComputeSeparable(const T* image, const Part& part, Scratch* scratch, T* output) const {
  const int64_t row_elements = x_.input_size * channels_;
  int64_t left, right;
  SourcesOf(part, &left, &right);
  const int64_t source = plan_y_.source[part.row];
  const int64_t first = std::max<int64_t>(source, 0);
  const int64_t last = std::min(source + plan_y_.taps, y_.input_size);
  scratch->rows.clear();
  for (int64_t y = first; y < last; ++y) scratch->rows.push_back(image + y * row_elements + left * channels_);
  Number* line = scratch->line.data() + plan_x_.margin_before * channels_;
  Number* target = line + left * channels_;
  const int64_t count = (right - left) * channels_;
  if (first < last) {
    const Number* weights = weights_y_.data() + plan_y_.phase[part.row] * plan_y_.taps + (first - source);
    const T* next = scratch->rows.back() + row_elements;
    const NextRows<T> next_rows = {next, y_.down > y_.up ? next + row_elements : next};
    CombineRows(scratch->rows.data(), weights, last - first, count, next_rows, target);
  } else {
    std::fill(target, target + count, Number(0));
  }
  if (scratch->result.empty()) return FilterLine(LinePlanOf(part, weights_x_[0]), line, output);
  if (channels_ * sizeof(Number) % kCacheLine == 0 && reinterpret_cast<uintptr_t>(output) % kStoredWord == 0) {
    return FilterLineToMemory(LinePlanOf(part, weights_x_[0]), line, output);
  }
  const int64_t pixels = ResultSize();
  for (int64_t pixel = part.begin; pixel < part.end; pixel += pixels) {
    const Part piece = {part.row, pixel, std::min(pixel + pixels, part.end)};
    FilterLine(LinePlanOf(piece, weights_x_[0]), line, scratch->result.data());
    StoreToMemory(scratch->result.data(), (piece.end - pixel) * channels_, output + (pixel - part.begin) * channels_);
  }
}

template <typename T>
void UpFirDn2d<T>::ComputeMatrix(const T* image, const Part& part, Scratch* scratch, T* output) const {
  const int64_t row_elements = x_.input_size * channels_;
  const int64_t elements = (part.end - part.begin) * channels_;
  int64_t left, right;
  SourcesOf(part, &left, &right);
  Number* line = scratch->line.data() + plan_x_.margin_before * channels_;
  std::fill(scratch->sum.begin(), scratch->sum.end(), Number(0));
  for (int64_t t = 0; t < plan_y_.taps; ++t) {
    const int64_t y = plan_y_.source[part.row] + t;
    const size_t filter_row = plan_y_.phase[part.row] + t * y_.up;
    if (y < 0 || y >= y_.input_size || filter_row >= weights_x_.size()) continue;
    const T* input = image + y * row_elements + left * channels_;
    const Number one = 1;
    CombineRows(&input, &one, 1, (right - left) * channels_, {input + row_elements, input + row_elements},
                line + left * channels_);
    AddFilteredLine(LinePlanOf(part, weights_x_[filter_row]), line, scratch->sum.data());
  }
  for (int64_t i = 0; i < elements; ++i) Store(scratch->sum[i], &output[i]);
}

template class UpFirDn2d<float>;
template class UpFirDn2d<double>;
template class UpFirDn2d<BFloat16Bits>;

}  // namespace sg_keras
