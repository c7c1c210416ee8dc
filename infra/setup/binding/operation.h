// What the operations that we add to TensorFlow have in common: inputs and outputs, their shapes, registration.

#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel_api.h"
#include "tensorflow/c/ops.h"

namespace tfnodejs {

struct Status {
  TF_Status *const status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  void Check() const {
    if (TF_GetCode(status) != TF_OK) throw std::runtime_error(TF_Message(status));
  }
};

/** Inputs and outputs of a kernel that runs. */
class KernelRun {
 public:
  explicit KernelRun(TF_OpKernelContext *context) : context_(context) {}
  ~KernelRun() {
    for (TF_Tensor *tensor : tensors_) TF_DeleteTensor(tensor);
  }

  TF_Tensor *Input(int index) {
    TF_Tensor *tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_.status);
    status_.Check();
    tensors_.push_back(tensor);
    return tensor;
  }

  /** @throws where its shape is another than expected */
  const float *Input(int index, const std::vector<int64_t> &shape) {
    TF_Tensor *tensor = Input(index);
    bool isSo = TF_NumDims(tensor) == static_cast<int>(shape.size());
    for (size_t axis = 0; isSo && axis < shape.size(); axis++) isSo = TF_Dim(tensor, axis) == shape[axis];
    if (!isSo) throw std::runtime_error("input " + std::to_string(index) + " has a shape that does not fit the others");
    return static_cast<const float *>(TF_TensorData(tensor));
  }

  float *Output(int index, const std::vector<int64_t> &shape) {
    size_t bytes = sizeof(float);
    for (int64_t side : shape) bytes *= side;
    TF_Tensor *tensor =
        TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(), static_cast<int>(shape.size()), bytes, status_.status);
    status_.Check();
    tensors_.push_back(tensor);
    return static_cast<float *>(TF_TensorData(tensor));
  }

 private:
  TF_OpKernelContext *const context_;
  const Status status_;
  std::vector<TF_Tensor *> tensors_;
};

/** An operation's attributes, as it is made. */
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction *construction) : construction_(construction) {}

  void Read(const char *name, int64_t *value) { Take(TF_OpKernelConstruction_GetAttrInt64, name, value); }
  void Read(const char *name, float *value) { Take(TF_OpKernelConstruction_GetAttrFloat, name, value); }
  void Read(const char *name, unsigned char *value) { Take(TF_OpKernelConstruction_GetAttrBool, name, value); }

  /** Whether all were there; else the operation is not made. */
  bool AllRead() const {
    if (TF_GetCode(status_.status) == TF_OK) return true;
    TF_OpKernelConstruction_Failure(construction_, status_.status);
    return false;
  }

 private:
  /** After one that was not there, none is asked for: its status would be lost. */
  template <typename Get, typename Value>
  void Take(const Get &get, const char *name, Value *value) {
    if (TF_GetCode(status_.status) == TF_OK) get(construction_, name, value, status_.status);
  }

  TF_OpKernelConstruction *const construction_;
  const Status status_;
};

/** For `Operation::create`: what `Settings::ReadFrom` reads. */
template <typename Settings>
void *CreateSettings(TF_OpKernelConstruction *construction) {
  Attributes attributes(construction);
  auto settings = std::make_unique<Settings>();
  settings->ReadFrom(attributes);
  return attributes.AllRead() ? settings.release() : nullptr;
}

/** For `Operation::free`. */
template <typename Settings>
void FreeSettings(void *settings) {
  delete static_cast<Settings *>(settings);
}

/** Whatever is thrown fails the operation. */
template <typename Compute>
void Guarded(TF_OpKernelContext *context, const Compute &compute) {
  try {
    KernelRun run(context);
    compute(run);
  } catch (const std::exception &error) {
    const Status status;
    TF_SetStatus(status.status, TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelContext_Failure(context, status.status);
  }
}

/** An output's shape: sides of inputs, from one axis to another of each, one after the other. */
struct SidesOf {
  int input;
  int64_t from, to;
};

inline void SetShape(TF_ShapeInferenceContext *context, int output, const std::vector<SidesOf> &parts,
                     TF_Status *status) {
  TF_ShapeHandle *shape = TF_ShapeInferenceContextScalar(context);
  for (const auto &[input, from, to] : parts) {
    TF_ShapeHandle *given = TF_NewShapeHandle(), *sides = TF_NewShapeHandle(), *longer = TF_NewShapeHandle();
    TF_ShapeInferenceContextGetInput(context, input, given, status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSubshape(context, given, from, to, sides, status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextConcatenateShapes(context, shape, sides, longer, status);
    for (TF_ShapeHandle *done : {given, sides, shape}) TF_DeleteShapeHandle(done);
    shape = longer;
  }
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output, shape, status);
  TF_DeleteShapeHandle(shape);
}

/** An operation of ours; its inputs and outputs are float32. */
struct Operation {
  const char *name;
  std::vector<const char *> inputs, outputs;
  void (*shapes)(TF_ShapeInferenceContext *, TF_Status *);
  void (*compute)(void *kernel, TF_OpKernelContext *);
  /** As TensorFlow writes them: `stride: int`. */
  std::vector<const char *> attributes = {};
  /** Reads them into what `compute` gets as its kernel. */
  void *(*create)(TF_OpKernelConstruction *) = nullptr;
  void (*free)(void *kernel) = nullptr;
};

/** To be called when the binding is loaded, which happens once in a process. */
inline void Register(const Operation &operation) {
  const Status status;
  TF_OpDefinitionBuilder *definition = TF_NewOpDefinitionBuilder(operation.name);
  const auto typed = [](const char *name) { return std::string(name) + ": float"; };
  for (const char *input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, typed(input).c_str());
  for (const char *output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, typed(output).c_str());
  for (const char *attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, operation.shapes);
  TF_RegisterOpDefinition(definition, status.status);
  TF_KernelBuilder *kernel =
      TF_NewKernelBuilder(operation.name, "CPU", operation.create, operation.compute, operation.free);
  if (TF_GetCode(status.status) == TF_OK) TF_RegisterKernelBuilder(operation.name, kernel, status.status);
  // Whoever uses the operation is told that there is none of this name.
}

}  // namespace tfnodejs
