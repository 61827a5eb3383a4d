// One tile of filtered_lrelu, compiled for several generations of processors.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PROCESSORS_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PROCESSORS_H_

#include <vector>

#include "custom_ops/common/cc/kernels/processor.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu.h"

namespace sg_keras {

// On the best processor code that can be run here. The workspace is enlarged as needed.
template <typename T>
void RunTile(const FilteredLreluPlan<typename Computation<T>::Type>& plan, const FilteredLreluTile<T>& tile,
             std::vector<char>* workspace);

#define SG_KERAS_DECLARE(processor, T)                                                                       \
  namespace processor {                                                                                      \
  void RunTile(const FilteredLreluPlan<Computation<T>::Type>& plan, const FilteredLreluTile<T>& tile,        \
               std::vector<char>* workspace);                                                                \
  }
#define SG_KERAS_DECLARE_ALL(processor) \
  SG_KERAS_DECLARE(processor, float)    \
  SG_KERAS_DECLARE(processor, double)   \
  SG_KERAS_DECLARE(processor, BFloat16Bits)

SG_KERAS_DECLARE_ALL(avx512)
SG_KERAS_DECLARE_ALL(avx2)
SG_KERAS_DECLARE_ALL(baseline)
#undef SG_KERAS_DECLARE
#undef SG_KERAS_DECLARE_ALL

}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PROCESSORS_H_
