#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_processors.h"

namespace sg_keras {
namespace {

constexpr int64_t kLongestLine = 384;  // internal pixels of a tile's line: a dozen lines stay in the cache

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
int64_t CeilDivide(int64_t a, int64_t b) { return -FloorDivide(-a, b); }

template <typename A>
std::vector<A> Convert(const std::vector<double>& numbers, double factor) {
  std::vector<A> converted;
  for (double number : numbers) converted.push_back(static_cast<A>(number * factor));
  return converted;
}

// The tap of a filter by which tap t of pixel p of a group multiplies its input; -1: none.
int64_t TapOfPhase(int64_t p, int64_t t, int64_t up, int64_t taps) {
  const int64_t tap = up - 1 - p + t * up;
  return tap < taps ? tap : -1;
}

std::vector<double> Phases(const std::vector<double>& taps, int64_t up) {
  const int64_t size = taps.size();
  std::vector<double> phases;
  for (int64_t p = 0; p < up; ++p) {
    for (int64_t t = 0; t < CeilDivide(size, up); ++t) {
      const int64_t tap = TapOfPhase(p, t, up, size);
      phases.push_back(tap < 0 ? 0 : taps[tap]);
    }
  }
  return phases;
}

std::vector<double> MatrixPhases(const FilterTaps& filter, int64_t up) {
  std::vector<double> phases;
  for (int64_t py = 0; py < up; ++py) {
    for (int64_t px = 0; px < up; ++px) {
      for (int64_t ty = 0; ty < CeilDivide(filter.height, up); ++ty) {
        for (int64_t tx = 0; tx < CeilDivide(filter.width, up); ++tx) {
          const int64_t y = TapOfPhase(py, ty, up, filter.height);
          const int64_t x = TapOfPhase(px, tx, up, filter.width);
          phases.push_back(y < 0 || x < 0 ? 0 : filter.matrix[y * filter.width + x]);
        }
      }
    }
  }
  return phases;
}

// Whether a matrix of 12x12 taps is the same, but for rounding, when mirrored in either axis.
bool CanBeFolded(const FilterTaps& filter, int64_t factor, double epsilon) {
  if (factor != 2 || filter.height != 12 || filter.width != 12) return false;
  double largest = 0;
  double deviation = 0;
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 12; ++x) {
      const double tap = filter.matrix[12 * y + x];
      largest = std::max(largest, std::abs(tap));
      deviation = std::max(deviation, std::abs(tap - filter.matrix[12 * (11 - y) + x]));
      deviation = std::max(deviation, std::abs(tap - filter.matrix[12 * y + 11 - x]));
    }
  }
  return deviation <= 4 * epsilon * largest;
}

std::vector<double> FoldForDownsampling(const FilterTaps& filter) {
  std::vector<double> folded;
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) folded.push_back(filter.matrix[12 * y + x]);
  }
  return folded;
}

// From the taps [6][6] of the first pixel of a group: those of sums and differences of mirrored inputs.
std::vector<double> FoldForUpsampling(const std::vector<double>& phases) {
  std::vector<double> folded;
  for (int odd_y = 0; odd_y < 2; ++odd_y) {
    for (int odd_x = 0; odd_x < 2; ++odd_x) {
      const double sign_y = odd_y ? -1 : 1;
      const double sign_x = odd_x ? -1 : 1;
      for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 3; ++x) {
          const double upper = phases[6 * y + x] + sign_x * phases[6 * y + 5 - x];
          const double lower = phases[6 * (5 - y) + x] + sign_x * phases[6 * (5 - y) + 5 - x];
          folded.push_back((upper + sign_y * lower) / 4);
        }
      }
    }
  }
  return folded;
}

}  // namespace

// ------------------------------------------------------------------------------------------ plans

template <typename A>
FilteredLreluPlan<A>::FilteredLreluPlan(const FilteredLreluParameters& parameters, const FilteredLreluAxis& y,
                                        const FilteredLreluAxis& x, int64_t images, int64_t channels)
    : y(y),
      x(x),
      images(images),
      channels(channels),
      blocks(CeilDivide(channels, kFilteredLreluBlock)),
      up(parameters.up),
      down(parameters.down),
      up_taps_y(CeilDivide(parameters.up_filter.height, up)),
      up_taps_x(CeilDivide(parameters.up_filter.width, up)),
      down_taps_y(parameters.down_filter.height),
      down_taps_x(parameters.down_filter.width),
      slope(static_cast<A>(parameters.slope)),
      clamp(static_cast<A>(parameters.clamp)),
      has_clamp(std::isfinite(parameters.clamp)) {
  const double gain = std::abs(parameters.gain);
  const double sign = parameters.gain < 0 ? -1 : 1;
  const double epsilon = std::numeric_limits<A>::epsilon();
  const FilterTaps& up_filter = parameters.up_filter;
  const FilterTaps& down_filter = parameters.down_filter;
  if (up_filter.matrix.empty()) {
    up_rows = Convert<A>(Phases(up_filter.rows, up), gain);
    up_columns = Convert<A>(Phases(up_filter.columns, up), 1);
  } else {
    const std::vector<double> phases = MatrixPhases(up_filter, up);
    up_matrix = Convert<A>(phases, gain);
    if (CanBeFolded(up_filter, up, epsilon)) up_folded = Convert<A>(FoldForUpsampling(phases), gain);
  }
  if (down_filter.matrix.empty()) {
    down_rows = Convert<A>(down_filter.rows, sign);
    down_columns = Convert<A>(down_filter.columns, 1);
  } else {
    down_matrix = Convert<A>(down_filter.matrix, sign);
    if (CanBeFolded(down_filter, down, epsilon)) down_folded = Convert<A>(FoldForDownsampling(down_filter), sign);
  }
  strips = std::min(CeilDivide(x.output_size * down, kLongestLine), x.output_size);
}

FilteredLreluRange::FilteredLreluRange(const FilteredLreluAxis& axis, int64_t up, int64_t up_taps, int64_t down,
                                       int64_t down_taps, int64_t begin, int64_t end)
    : output_begin(begin), output_end(end) {
  const int64_t read_begin = begin * down - axis.pad_down;
  const int64_t read_end = (end - 1) * down - axis.pad_down + std::max(down_taps, down);
  internal_begin = std::min(std::max<int64_t>(read_begin, 0), axis.internal_size);
  internal_end = std::max(std::min(read_end, axis.internal_size), internal_begin);
  // Group g is internal pixels g * up + pad_up - (up - 1) and the next ones.
  group_begin = CeilDivide(internal_begin - axis.pad_up, up);
  group_end = internal_end > internal_begin ? CeilDivide(internal_end - 1 - axis.pad_up, up) + 1 : group_begin;
  first_of_group = group_begin * up + axis.pad_up - (up - 1);
  line_begin = std::min(first_of_group, read_begin);
  line_end = std::max(first_of_group + (group_end - group_begin) * up, read_end);
}

// ------------------------------------------------------------------------------------------ tiles

template <typename T>
FilteredLrelu<T>::FilteredLrelu(const FilteredLreluPlan<Number>& plan, bool masked, int64_t least_tiles)
    : plan_(plan), masked_(masked), bands_(1) {
  constexpr int64_t kLeastRows = 16;  // of a band: the first internal rows of each are computed twice
  const int64_t tiles_without_bands = std::max<int64_t>(tiles(), 1);
  bands_ = std::min(CeilDivide(least_tiles, tiles_without_bands), CeilDivide(plan.y.output_size, kLeastRows));
  bands_ = std::max<int64_t>(bands_, 1);
}

template <typename T>
void FilteredLrelu<T>::Tiles(const T* input, const T* bias, int64_t begin, int64_t end, T* output, uint32_t* mask,
                             Number* sums) const {
  const FilteredLreluAxis& y = plan_.y;
  const FilteredLreluAxis& x = plan_.x;
  std::vector<char> workspace;
  for (int64_t index = begin; index < end; ++index) {
    const int64_t band = index % bands_;
    const int64_t strip = index / bands_ % plan_.strips;
    const int64_t block = index / (bands_ * plan_.strips) % plan_.blocks;
    const int64_t image = index / (bands_ * plan_.strips * plan_.blocks);
    const int64_t channel = block * kFilteredLreluBlock;
    const int64_t channels = std::min(kFilteredLreluBlock, plan_.channels - channel);
    Number block_bias[kFilteredLreluBlock] = {};
    if (bias != nullptr) {
      for (int64_t c = 0; c < channels; ++c) block_bias[c] = Load(bias[channel + c]);
    }
    const int64_t image_and_block = image * plan_.blocks + block;
    const FilteredLreluTile<T> tile{
        input + image * y.input_size * x.input_size * plan_.channels + channel,
        bias == nullptr ? nullptr : block_bias,
        output + image * y.output_size * x.output_size * plan_.channels + channel,
        mask + image_and_block * y.internal_size * x.internal_size,
        sums == nullptr ? nullptr
                        : sums + (image_and_block * plan_.strips + strip) * y.output_size * kFilteredLreluBlock,
        channels,
        !masked_,
        FilteredLreluRange(y, plan_.up, plan_.up_taps_y, plan_.down, plan_.down_taps_y,
                           band * y.output_size / bands_, (band + 1) * y.output_size / bands_),
        FilteredLreluRange(x, plan_.up, plan_.up_taps_x, plan_.down, plan_.down_taps_x,
                           strip * x.output_size / plan_.strips, (strip + 1) * x.output_size / plan_.strips)};
    RunTile(plan_, tile, &workspace);
  }
}

template <typename T>
void FilteredLrelu<T>::AddSums(const Number* sums, T* total) const {
  std::vector<Number> channel_sums(plan_.blocks * kFilteredLreluBlock, Number(0));
  const int64_t rows = plan_.strips * plan_.y.output_size;
  for (int64_t part = 0; part < plan_.images * plan_.blocks; ++part) {
    Number* target = channel_sums.data() + part % plan_.blocks * kFilteredLreluBlock;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t c = 0; c < kFilteredLreluBlock; ++c) target[c] += *sums++;
    }
  }
  for (int64_t c = 0; c < plan_.channels; ++c) Store(channel_sums[c], &total[c]);
}

template struct FilteredLreluPlan<float>;
template struct FilteredLreluPlan<double>;
template class FilteredLrelu<float>;
template class FilteredLrelu<double>;
template class FilteredLrelu<BFloat16Bits>;

// ------------------------------------------------------------------------------------------ processors

template <typename T>
void RunTile(const FilteredLreluPlan<typename Computation<T>::Type>& plan, const FilteredLreluTile<T>& tile,
             std::vector<char>* workspace) {
#if defined(SG_KERAS_HAS_AVX)
  if (kProcessor == Processor::kAvx512) return avx512::RunTile(plan, tile, workspace);
  if (kProcessor == Processor::kAvx2) return avx2::RunTile(plan, tile, workspace);
#endif
  baseline::RunTile(plan, tile, workspace);
}

}  // namespace sg_keras
