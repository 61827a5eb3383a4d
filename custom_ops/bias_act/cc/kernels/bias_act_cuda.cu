#include "custom_ops/bias_act/cc/kernels/activation_cuda.h"
#include "custom_ops/bias_act/cc/kernels/bias_act_cuda.h"
#include "custom_ops/common/cc/kernels/cuda_rows.h"

namespace sg_keras {
namespace cuda {
namespace {

// ------------------------------------------------------------------------------------------ kernels

// Smooth activations wait for their arithmetic, not for the memory; and their code is long.
template <bool kPiecewise>
constexpr int kRowsOf = kPiecewise ? kRowsInFlight : 1;

// `period` is the number of biases: the walk's channels are a multiple of it.
template <typename T, int kPack, bool kPiecewise>
SG_KERAS_ROW_KERNEL BiasActKernel(RowWalk walk, Activation<Number<T>> activation, int64_t period, const T* x,
                                  const T* b, T* y) {
  constexpr int kRows = kRowsOf<kPiecewise>;
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    if (place.channel >= walk.channels) continue;
    Number<T> bias[kPack];
    SG_KERAS_UNROLL
    for (int i = 0; i < kPack; ++i) bias[i] = b == nullptr ? Number<T>(0) : Load(b[(place.channel + i) % period]);
    for (int64_t row = place.begin + threadIdx.y; row < place.end; row += kRows * walk.rows_at_once) {
      RowBatch<T, kPack, kRows> batch;
      batch.Load(x, walk, place, row);
      batch.ForEach(walk, place, row, [&](int, int64_t offset, Number<T>* values) {
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) values[i] = activation.template Forward<kPiecewise>(values[i] + bias[i]);
        StorePack<kPack>(values, y + offset);
      });
    }
  }
}

enum class SlopeOf { kPiecewise, kPiecewiseResult, kSmooth };

// Sums dx as it is stored, if chunk_sums is given.
template <typename T, int kPack, SlopeOf kSlope>
SG_KERAS_ROW_KERNEL BiasActGradKernel(RowWalk walk, Activation<Number<T>> activation, const T* dy, const T* at, T* dx,
                                      Number<T>* chunk_sums) {
  constexpr int kRows = kRowsOf<kSlope != SlopeOf::kSmooth>;
  __shared__ Number<T> shared[kRowThreads * kPack];
  for (int64_t block = blockIdx.x; block < walk.Blocks(); block += gridDim.x) {
    const RowPlace place = PlaceOf(walk, block, kPack);
    Number<T> sums[kPack] = {};
    for (int64_t row = place.begin + threadIdx.y; row < place.end; row += kRows * walk.rows_at_once) {
      RowBatch<T, kPack, kRows> cotangents;
      RowBatch<T, kPack, kRows> places;
      cotangents.Load(dy, walk, place, row);
      places.Load(at, walk, place, row);
      cotangents.ForEach(walk, place, row, [&](int k, int64_t offset, const Number<T>* values) {
        Pack<T, kPack> result;
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) {
          const Number<T> u = Load(places.packs[k].values[i]);
          Store(kSlope == SlopeOf::kPiecewiseResult
                    ? activation.BackwardOfResult(values[i], u)
                    : activation.template Backward<kSlope == SlopeOf::kPiecewise>(values[i], u),
                &result.values[i]);
          sums[i] += Load(result.values[i]);
        }
        *reinterpret_cast<Pack<T, kPack>*>(dx + offset) = result;
      });
    }
    if (chunk_sums != nullptr) WriteChunkSums<kPack>(walk, place, sums, shared, chunk_sums);
  }
}

// ------------------------------------------------------------------------------------------ launches

// How [rows, channels] is walked over: a few rows taken as one where the channels alone do not fill words.
struct Widened {
  bool words;
  int64_t rows;
  int64_t channels;
};

template <typename T, typename... Pointers>
Widened Widen(int64_t rows, int64_t channels, const Pointers*... pointers) {
  for (int64_t times = 1; times <= kWordPack<T>; times *= 2) {
    if (rows % times == 0 && FitsWords<T>(channels * times, pointers...)) {
      return {true, rows / times, channels * times};
    }
  }
  return {false, rows, channels};
}

template <typename T>
RowWalk GradWalk(const Widened& data) {
  return PlanRows(1, data.rows, data.channels, data.words ? kWordPack<T> : 1, kRowsOfSums);
}

template <typename T, int kPack, bool kPiecewise>
void LaunchForward(const SgKerasBiasAct& call, const Widened& data, void* stream) {
  const RowWalk walk = PlanRows(1, data.rows, data.channels, kPack, kRowsInFlight);
  SG_KERAS_LAUNCH((BiasActKernel<T, kPack, kPiecewise>), walk.Grid(), walk.Block(), 0, stream, walk,
                  Activation<Number<T>>::Of(call), call.channels, static_cast<const T*>(call.x),
                  static_cast<const T*>(call.b), static_cast<T*>(call.y));
}

template <typename T, int kPack, SlopeOf kSlope>
void LaunchGrad(const SgKerasBiasActGrad& call, const Widened& data, void* stream) {
  const RowWalk walk = GradWalk<T>(data);
  Number<T>* chunk_sums = call.db == nullptr ? nullptr : static_cast<Number<T>*>(call.workspace);
  if (walk.Blocks() > 0) {
    SG_KERAS_LAUNCH((BiasActGradKernel<T, kPack, kSlope>), walk.Grid(), walk.Block(), 0, stream, walk,
                    Activation<Number<T>>::Of(call), static_cast<const T*>(call.dy), static_cast<const T*>(call.at),
                    static_cast<T*>(call.dx), chunk_sums);
  }
  if (chunk_sums == nullptr && call.db == nullptr) return;
  const int64_t parts = walk.chunks * (data.channels / call.channels);
  SumParts(chunk_sums, 1, parts, call.channels, static_cast<T*>(call.db), stream);
}

template <typename T, int kPack>
void ChooseGrad(const SgKerasBiasActGrad& call, const Widened& data, void* stream) {
  if (!IsPiecewiseLinear(call.act)) {
    LaunchGrad<T, kPack, SlopeOf::kSmooth>(call, data, stream);
  } else if (call.of_result) {
    LaunchGrad<T, kPack, SlopeOf::kPiecewiseResult>(call, data, stream);
  } else {
    LaunchGrad<T, kPack, SlopeOf::kPiecewise>(call, data, stream);
  }
}

}  // namespace
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras::cuda;  // NOLINT: the launchers are C

int sg_keras_cuda_bias_act(const SgKerasBiasAct* call, void* stream) {
  if (!IsActivation(call->act)) return static_cast<int>(cudaErrorInvalidValue);
  if (call->rows * call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    const Widened data = Widen<T>(call->rows, call->channels, call->x, call->y);
    WithPack<T>(data.words, [&](auto pack) {
      if (IsPiecewiseLinear(call->act)) {
        LaunchForward<T, pack.value, true>(*call, data, stream);
      } else {
        LaunchForward<T, pack.value, false>(*call, data, stream);
      }
    });
    return sg_keras::LastError();
  });
}

int sg_keras_cuda_bias_act_grad(const SgKerasBiasActGrad* call, void* stream) {
  const bool sensible = IsActivation(call->act) && (!call->of_result || IsPiecewiseLinear(call->act));
  if (!sensible) return static_cast<int>(cudaErrorInvalidValue);
  if (call->channels == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    const Widened data = Widen<T>(call->rows, call->channels, call->dy, call->at, call->dx);
    WithPack<T>(data.words, [&](auto pack) { ChooseGrad<T, pack.value>(*call, data, stream); });
    return sg_keras::LastError();
  });
}

int64_t sg_keras_cuda_bias_act_grad_workspace(const SgKerasBiasActGrad* call) {
  if (call->rows * call->channels == 0 || call->db == nullptr) return 0;
  int64_t bytes = 0;
  WithType(call->type, [&](auto element) {
    using T = decltype(element);
    // Which of them, the pointers will say.
    for (const Widened& data : {Widened{false, call->rows, call->channels}, Widen<T>(call->rows, call->channels)}) {
      const int64_t sums = GradWalk<T>(data).chunks * data.channels;
      bytes = std::max<int64_t>(bytes, sums * sizeof(Number<T>));
    }
    return 0;
  });
  return bytes;
}
