// One tile of filtered_lrelu, streaming over its rows. Compiled for one processor: see vector_block.h.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_TILE_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_TILE_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_dense.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_passes.h"

namespace sg_keras {
namespace SG_KERAS_PROCESSOR {

// Inputs are staged: 16 channels of a row, side by side, with bias and margins. A group of internal lines is computed
// from the last few staged rows, one after another; each is downsampled along the line at once (separable filters)
// into a ring of rows, from which rows of the result are made as soon as all that they need is there.
template <typename T>
class TileRun {
 public:
  using A = typename Computation<T>::Type;
  using B = Block<A>;

  TileRun(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile, char* workspace);

  // In bytes, with room to align.
  static int64_t WorkspaceSize(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile);

  void Run();

 private:
  static constexpr int64_t kRowsAtOnce = 4;  // of the result

  struct Sizes {
    Sizes(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile);

    int64_t staged;       // blocks of a staged row
    int64_t line;         // of an internal line
    int64_t lines;        // internal lines in memory beside the ring
    int64_t ring;         // of a row of the ring
    int64_t ring_rows;
    int64_t mask;         // words of a line's mask
    int64_t zeros;
  };

  template <Slopes kSlopes>
  void RunWith();
  template <Slopes kSlopes>
  void RunGroup(int64_t group);
  B* StagedRow(int64_t row) { return staged_ + (row - tile_.y.group_begin) % plan_.up_taps_y * sizes_.staged; }
  bool IsInput(int64_t row) const { return row >= 0 && row < plan_.y.input_size; }
  void StageRow(int64_t row);
  template <Slopes kSlopes>
  void MakeLine(int64_t of_group, int64_t internal_row, B* line);
  uint32_t* MaskWords(int64_t internal_row);
  void ReadMask(int64_t internal_row);
  void WriteMask(int64_t internal_row);
  void Emit(int64_t internal_rows_done);
  void EmitRows(int64_t row, int64_t rows);

  B* Slot(int64_t internal_row) { return ring_ + internal_row % sizes_.ring_rows * sizes_.ring; }

  const FilteredLreluPlan<A>& plan_;
  const FilteredLreluTile<T>& tile_;
  const Sizes sizes_;
  int64_t next_row_;  // of the result
  B* zeros_;
  B* staged_;
  B* upsampled_;  // rows between the passes of upsampling
  B* lines_;
  B* ring_;
  B* folded_;
  uint32_t* mask_;
  const B** rows_;      // that a pass reads
  B** upsampled_rows_;  // pointers to upsampled_
};

template <typename T>
TileRun<T>::Sizes::Sizes(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile) {
  const FilteredLreluRange& x = tile.x;
  const bool separable_down = plan.down_matrix.empty();
  staged = x.group_end - x.group_begin + plan.up_taps_x - 1;
  line = x.line_end - x.line_begin;
  lines = plan.up_folded.empty() ? 1 : 2;
  ring = separable_down ? x.output_end - x.output_begin : line;
  ring_rows = (kRowsAtOnce - 1) * plan.down + plan.down_taps_y + plan.up;
  mask = (x.group_end - x.group_begin) * plan.up;
  zeros = staged > ring ? staged : ring;
}

template <typename T>
int64_t TileRun<T>::WorkspaceSize(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile) {
  const Sizes sizes(plan, tile);
  const int64_t upsampled_rows = plan.up_folded.empty() ? plan.up : 6;
  const int64_t blocks = sizes.zeros + (plan.up_taps_y + upsampled_rows) * sizes.staged + sizes.lines * sizes.line +
                         sizes.ring * sizes.ring_rows + 6 * kFoldedColumns;
  const int64_t pointers = plan.up_taps_y + sizes.ring_rows + upsampled_rows;
  return blocks * sizeof(B) + pointers * sizeof(B*) + sizes.mask * plan.up * sizeof(uint32_t) + 2 * alignof(B);
}

template <typename T>
TileRun<T>::TileRun(const FilteredLreluPlan<A>& plan, const FilteredLreluTile<T>& tile, char* workspace)
    : plan_(plan), tile_(tile), sizes_(plan, tile), next_row_(tile.y.output_begin) {
  const int64_t upsampled_rows = plan.up_folded.empty() ? plan.up : 6;
  const uintptr_t address = reinterpret_cast<uintptr_t>(workspace);
  zeros_ = reinterpret_cast<B*>((address + alignof(B) - 1) / alignof(B) * alignof(B));
  staged_ = zeros_ + sizes_.zeros;
  upsampled_ = staged_ + plan.up_taps_y * sizes_.staged;
  lines_ = upsampled_ + upsampled_rows * sizes_.staged;
  ring_ = lines_ + sizes_.lines * sizes_.line;
  folded_ = ring_ + sizes_.ring * sizes_.ring_rows;
  rows_ = reinterpret_cast<const B**>(folded_ + 6 * kFoldedColumns);
  upsampled_rows_ = const_cast<B**>(rows_) + plan.up_taps_y + sizes_.ring_rows;
  mask_ = reinterpret_cast<uint32_t*>(upsampled_rows_ + upsampled_rows);
  for (int64_t i = 0; i < sizes_.zeros; ++i) zeros_[i] = Zero<A>();
  // Margins of lines are zero from here on.
  for (B* p = lines_; p < folded_; ++p) *p = Zero<A>();
  for (int64_t i = 0; i < upsampled_rows; ++i) upsampled_rows_[i] = upsampled_ + i * sizes_.staged;
}

template <typename T>
void TileRun<T>::Run() {
  if (!tile_.forward) return RunWith<Slopes::kFromMask>();
  if (plan_.has_clamp) return RunWith<Slopes::kComputedWithClamp>();
  RunWith<Slopes::kComputed>();
}

template <typename T>
template <Slopes kSlopes>
void TileRun<T>::RunWith() {
  const FilteredLreluRange& y = tile_.y;
  for (int64_t row = y.group_begin; row < y.group_begin + plan_.up_taps_y - 1; ++row) StageRow(row);
  for (int64_t group = y.group_begin; group < y.group_end; ++group) RunGroup<kSlopes>(group);
  Emit(y.internal_end);
}

// A group of internal lines, and all rows of the result that can be computed then.
template <typename T>
template <Slopes kSlopes>
void TileRun<T>::RunGroup(int64_t group) {
  const FilteredLreluRange& y = tile_.y;
  const int64_t taps = plan_.up_taps_y;
  const int64_t offset = tile_.x.first_of_group - tile_.x.line_begin;
  StageRow(group + taps - 1);
  for (int64_t t = 0; t < taps; ++t) rows_[t] = IsInput(group + t) ? StagedRow(group + t) : zeros_;
  if (plan_.up_matrix.empty()) {
    UpsampleRows(rows_, plan_.up_rows.data(), plan_.up, taps, sizes_.staged, upsampled_rows_);
  } else if (!plan_.up_folded.empty()) {
    FoldSixRows(rows_, sizes_.staged, upsampled_rows_);
    B* const lines[2] = {lines_ + offset, lines_ + sizes_.line + offset};
    UpsampleFoldedLines(upsampled_rows_, plan_.up_folded.data(), tile_.x.group_end - tile_.x.group_begin, lines);
  }
  const int64_t first = y.first_of_group + (group - y.group_begin) * plan_.up;
  for (int64_t k = 0; k < plan_.up; ++k) {
    if (first + k < y.internal_begin || first + k >= y.internal_end) continue;
    if (!plan_.down_matrix.empty()) {
      MakeLine<kSlopes>(k, first + k, Slot(first + k));
      continue;
    }
    B* line = plan_.up_folded.empty() ? lines_ : lines_ + k * sizes_.line;
    MakeLine<kSlopes>(k, first + k, line);
    const B* source = line + tile_.x.output_begin * plan_.down - plan_.x.pad_down - tile_.x.line_begin;
    DownsampleLine(source, plan_.down_columns.data(), plan_.down, plan_.down_taps_x, sizes_.ring, Slot(first + k));
  }
  const int64_t done = first + plan_.up;
  Emit(done < y.internal_end ? done : y.internal_end);
}

template <typename T>
void TileRun<T>::StageRow(int64_t row) {
  if (!IsInput(row)) return;
  B* target = StagedRow(row);
  const B bias = tile_.bias == nullptr ? Zero<A>() : LoadBlock(tile_.bias);
  const T* source = tile_.input + row * plan_.x.input_size * plan_.channels;
  const int64_t next_row = row + 1 < plan_.y.input_size ? plan_.x.input_size * plan_.channels : 0;
  const int64_t begin = tile_.x.group_begin;
  const int64_t end = begin + sizes_.staged;
  int64_t column = begin;
  for (; column < 0 && column < end; ++column) target[column - begin] = Zero<A>();
  const int64_t inside_end = end < plan_.x.input_size ? end : plan_.x.input_size;
  if (tile_.channels == kBlock) {
    for (; column < inside_end; ++column) {
      const T* pixel = source + column * plan_.channels;
      __builtin_prefetch(pixel + next_row, 0, 2);
      target[column - begin] = Add(LoadBlock(pixel), bias);
    }
  }
  for (; column < inside_end; ++column) {
    target[column - begin] = Add(LoadChannels<A>(source + column * plan_.channels, tile_.channels), bias);
  }
  for (; column < end; ++column) target[column - begin] = Zero<A>();
}

// A line of internal pixels, times their slopes; zeros where it leaves the internal image.
template <typename T>
template <Slopes kSlopes>
void TileRun<T>::MakeLine(int64_t of_group, int64_t internal_row, B* line) {
  const FilteredLreluRange& x = tile_.x;
  const int64_t groups = x.group_end - x.group_begin;
  const int64_t count = groups * plan_.up;
  B* pixels = line + x.first_of_group - x.line_begin;
  const Activation<A> activation{Broadcast(plan_.slope), Broadcast(plan_.clamp)};
  if (kSlopes == Slopes::kFromMask) ReadMask(internal_row);
  if (plan_.up_matrix.empty()) {
    UpsampleLine<kSlopes>(activation, upsampled_rows_[of_group], plan_.up_columns.data(), plan_.up, plan_.up_taps_x,
                          groups, pixels, mask_);
  } else if (plan_.up_folded.empty()) {
    const int64_t taps = plan_.up * plan_.up_taps_y * plan_.up_taps_x;
    UpsampleMatrix<kSlopes>(activation, rows_, plan_.up_matrix.data() + of_group * taps, plan_.up, plan_.up_taps_y,
                            plan_.up_taps_x, groups, pixels, mask_);
  } else {
    const B* source = lines_ + of_group * sizes_.line + x.first_of_group - x.line_begin;
    for (int64_t i = 0; i < count; ++i) pixels[i] = Activate<kSlopes>(activation, source[i], &mask_[i]);
  }
  if (kSlopes != Slopes::kFromMask) WriteMask(internal_row);
  for (int64_t i = 0; i < count && x.first_of_group + i < 0; ++i) pixels[i] = Zero<A>();
  for (int64_t i = count - 1; i >= 0 && x.first_of_group + i >= plan_.x.internal_size; --i) pixels[i] = Zero<A>();
}

template <typename T>
void TileRun<T>::ReadMask(int64_t internal_row) {
  const FilteredLreluRange& x = tile_.x;
  const uint32_t* source = tile_.mask + internal_row * plan_.x.internal_size;
  const int64_t end = x.first_of_group + sizes_.mask;
  const int64_t inside_begin = x.first_of_group < 0 ? 0 : x.first_of_group;
  const int64_t inside_end = end < plan_.x.internal_size ? end : plan_.x.internal_size;
  for (int64_t u = x.first_of_group; u < end; ++u) mask_[u - x.first_of_group] = 0;
  if (inside_end <= inside_begin) return;
  std::memcpy(mask_ + inside_begin - x.first_of_group, source + inside_begin,
              (inside_end - inside_begin) * sizeof(uint32_t));
  const uint32_t* next = internal_row + 1 < plan_.y.internal_size ? source + plan_.x.internal_size : source;
  for (int64_t u = inside_begin; u < inside_end; u += 16) __builtin_prefetch(next + u);
}

// Each word is written by one tile: that whose results begin there.
template <typename T>
void TileRun<T>::WriteMask(int64_t internal_row) {
  const FilteredLreluRange& x = tile_.x;
  const FilteredLreluRange& y = tile_.y;
  if (y.output_end < plan_.y.output_size && internal_row >= y.output_end * plan_.down) return;
  const bool last = x.output_end == plan_.x.output_size;
  const int64_t begin = x.output_begin * plan_.down;
  const int64_t end = last ? plan_.x.internal_size : x.output_end * plan_.down;
  uint32_t* target = tile_.mask + internal_row * plan_.x.internal_size;
  std::memcpy(target + begin, mask_ + begin - x.first_of_group, (end - begin) * sizeof(uint32_t));
  if (internal_row + 1 < plan_.y.internal_size) target += plan_.x.internal_size;
  for (int64_t u = begin; u < end; u += 16) __builtin_prefetch(target + u, 1);
}

template <typename T>
void TileRun<T>::Emit(int64_t internal_rows_done) {
  const FilteredLreluRange& y = tile_.y;
  while (next_row_ < y.output_end) {
    const int64_t left = y.output_end - next_row_;
    const int64_t rows = left < kRowsAtOnce ? left : kRowsAtOnce;
    const int64_t needed = (next_row_ + rows - 1) * plan_.down - plan_.y.pad_down + plan_.down_taps_y;
    if (internal_rows_done < (needed < y.internal_end ? needed : y.internal_end)) return;
    EmitRows(next_row_, rows);
    next_row_ += rows;
  }
}

template <typename T>
void TileRun<T>::EmitRows(int64_t row, int64_t rows) {
  const int64_t width = tile_.x.output_end - tile_.x.output_begin;
  const int64_t first = row * plan_.down - plan_.y.pad_down;
  const B** sources = rows_ + plan_.up_taps_y;
  const bool separable = plan_.down_matrix.empty();
  const int64_t offset = separable ? 0 : tile_.x.output_begin * plan_.down - plan_.x.pad_down - tile_.x.line_begin;
  for (int64_t j = 0; j < (rows - 1) * plan_.down + plan_.down_taps_y; ++j) {
    const int64_t u = first + j;
    sources[j] = u >= 0 && u < plan_.y.internal_size ? Slot(u) + offset : zeros_;
  }
  T* output = tile_.output + (row * plan_.x.output_size + tile_.x.output_begin) * plan_.channels;
  const int64_t row_stride = plan_.x.output_size * plan_.channels;
  B sums[kRowsAtOnce];
  for (auto& sum : sums) sum = Zero<A>();
  const auto store = [&](int64_t q, int64_t i, const B& block) {
    T* target = output + q * row_stride + i * plan_.channels;
    __builtin_prefetch(target + kRowsAtOnce * row_stride, 1);
    StoreChannels(block, tile_.channels, target);
    sums[q] = Add(sums[q], block);
  };
  if (separable) {
    DownsampleRows(sources, plan_.down_rows.data(), plan_.down, plan_.down_taps_y, rows, width, store);
  } else {
    for (int64_t q = 0; q < rows; ++q) {
      const auto store_row = [&](int64_t i, const B& block) { store(q, i, block); };
      const B* const* from = sources + q * plan_.down;
      if (plan_.down_folded.empty()) {
        DownsampleMatrix(from, plan_.down_matrix.data(), plan_.down, plan_.down_taps_y, plan_.down_taps_x, width,
                         store_row);
      } else {
        DownsampleFolded(from, plan_.down_folded.data(), width, folded_, store_row);
      }
    }
  }
  if (tile_.row_sums == nullptr) return;
  for (int64_t q = 0; q < rows; ++q) StoreBlock(sums[q], tile_.row_sums + (row + q) * kBlock);
}

}  // namespace SG_KERAS_PROCESSOR
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_TILE_H_
