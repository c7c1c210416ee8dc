// The npm package's backend, but for one thing: a tensor has memory of its own.
//
// The package gives TensorFlow the memory of a JavaScript array where that is aligned (about one small array in four), and
// a callback that lets go of the array when the last tensor on it is freed. A function of ours runs on TensorFlow's threads,
// which then free it there; Node-API belongs to JavaScript's thread alone, and its lists were torn: crashes, now and then,
// far from here. Large arrays never are aligned: TensorFlow has always copied those.

#include <string.h>

#include "tensorflow/c/c_api.h"

namespace {

TF_Tensor *CopiedTensor(TF_DataType type, const int64_t *shape, int axes, void *data, size_t bytes,
                        void (*release)(void *data, size_t bytes, void *argument), void *argument) {
  TF_Tensor *tensor = TF_AllocateTensor(type, shape, axes, bytes);
  if (bytes > 0) memcpy(TF_TensorData(tensor), data, bytes);
  release(data, bytes, argument);
  return tensor;
}

}  // namespace

#define TF_NewTensor CopiedTensor
#include "binding/tfjs_backend.cc"
