// What the OpKernels share: numbers given as text, element types, and work spread over TensorFlow's threads.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_KERNEL_HELPERS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_KERNEL_HELPERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/util/work_sharder.h"

namespace sg_keras {

// The type as which the kernels see the elements of a tensor of T.
template <typename T>
struct Element {
  using Type = T;
};
template <>
struct Element<tensorflow::bfloat16> {
  using Type = BFloat16Bits;
};

template <typename T>
const typename Element<T>::Type* Data(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const typename Element<T>::Type*>(tensor.flat<T>().data());
}

template <typename T>
typename Element<T>::Type* MutableData(tensorflow::Tensor* tensor) {
  return reinterpret_cast<typename Element<T>::Type*>(tensor->flat<T>().data());
}

// The status of bad input: one line of what was found and what was expected.
template <typename... Words>
absl::Status BadInput(const Words&... words) {
  return absl::InvalidArgumentError(absl::StrCat(words...));
}

// Reads an attribute of numbers separated by blanks. They are text because TensorFlow keeps float attributes in single
// precision, which is not enough for double tensors.
inline absl::Status GetNumbers(tensorflow::OpKernelConstruction* context, const char* name,
                               std::vector<double>* numbers) {
  std::string text;
  TF_RETURN_IF_ERROR(context->GetAttr(name, &text));
  numbers->clear();
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    double number;
    if (!absl::SimpleAtod(word, &number)) {
      return BadInput(name, ": found '", word, "', expected a number");
    }
    numbers->push_back(number);
  }
  return absl::OkStatus();
}

inline absl::Status GetNumber(tensorflow::OpKernelConstruction* context, const char* name, double* number) {
  std::vector<double> numbers;
  TF_RETURN_IF_ERROR(GetNumbers(context, name, &numbers));
  if (numbers.size() != 1) {
    return BadInput(name, ": found ", numbers.size(), " numbers, expected one");
  }
  *number = numbers[0];
  return absl::OkStatus();
}

// Calls work(begin, end) for parts of 0..total on the device's threads. What is computed for an item must not depend on
// the part it falls in: the number of threads then changes no bit of the result.
template <typename Work>
void RunSharded(tensorflow::OpKernelContext* context, int64_t total, double nanoseconds_per_item, const Work& work) {
  const auto& workers = *context->device()->tensorflow_cpu_worker_threads();
  tensorflow::Shard(workers.num_threads, workers.workers, total,
                    static_cast<int64_t>(nanoseconds_per_item) + 1, work);
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_KERNEL_HELPERS_H_
