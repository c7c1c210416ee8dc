// Part of functions.cc: the npm package's backend, and what a call from JavaScript brings.
//
// The package keeps its context and its table of tensors private, and its module's entry point is a macro: both are opened
// here instead of changing its sources.

#pragma once

#include <node_api.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

#define private public
#include "binding/tfjs_backend.h"
#undef private

#undef NAPI_MODULE
#define NAPI_MODULE(name, entry)
#include "binding/tfjs_binding.cc"
#undef NAPI_MODULE
#include "binding/tf_auto_tensor.h"

namespace tfnodejs {
namespace {

/** A graph that is being recorded. `values` are the outputs of its nodes: JavaScript knows them by their index. */
struct RecordedGraph {
  TF_Graph *graph = TF_NewGraph();
  std::vector<TF_Output> values;
  /** Its nodes but for arguments and constants, in the order in which they were added: JavaScript knows them by it. */
  std::vector<TF_Operation *> operations;
  int nodes = 0;

  ~RecordedGraph() { TF_DeleteGraph(graph); }
  std::string NextName() { return "n" + std::to_string(nodes++); }
};

/** Arguments of a call from JavaScript. After a failure a JavaScript error is pending, and `ok` is false. */
class Call {
 public:
  Call(napi_env env, napi_callback_info info, size_t expected) : env(env) {
    size_t count = kMost;
    ok = Succeeded(napi_get_cb_info(env, info, &count, args_, nullptr, nullptr));
    if (ok && count < expected) Fail("too few arguments");
  }

  /** Without arguments. */
  explicit Call(napi_env env) : env(env), ok(true) {}

  bool Succeeded(napi_status status) { return EnsureNapiOK(env, status, __FILE__, __LINE__); }

  void Fail(const char *message) {
    if (ok) napi_throw_error(env, nullptr, message);
    ok = false;
  }

  /** Throws TensorFlow's message. */
  bool Check(const TF_AutoStatus &status) {
    if (TF_GetCode(status.status) != TF_OK) Fail(TF_Message(status.status));
    return ok;
  }

  napi_value At(size_t index) const { return args_[index]; }

  int64_t Integer(napi_value value) {
    int64_t result = 0;
    if (ok) ok = Succeeded(napi_get_value_int64(env, value, &result));
    return result;
  }

  double Number(napi_value value) {
    double result = 0;
    if (ok) ok = Succeeded(napi_get_value_double(env, value, &result));
    return result;
  }

  bool Flag(napi_value value) {
    bool result = false;
    if (ok) ok = Succeeded(napi_get_value_bool(env, value, &result));
    return result;
  }

  std::string Text(napi_value value) {
    std::string result;
    if (ok) ok = GetStringParam(env, value, result) == napi_ok;
    return result;
  }

  bool IsArray(napi_value value) {
    bool result = false;
    if (ok) ok = Succeeded(napi_is_array(env, value, &result));
    return result;
  }

  std::vector<napi_value> Elements(napi_value array) {
    uint32_t length = 0;
    if (ok) ok = Succeeded(napi_get_array_length(env, array, &length));
    std::vector<napi_value> elements(length);
    for (uint32_t i = 0; ok && i < length; i++) ok = Succeeded(napi_get_element(env, array, i, &elements[i]));
    return elements;
  }

  std::vector<int64_t> Integers(napi_value array) {
    std::vector<int64_t> integers;
    for (napi_value element : Elements(array)) integers.push_back(Integer(element));
    return integers;
  }

  napi_value Property(napi_value object, const char *name) {
    napi_value value = nullptr;
    if (ok) ok = Succeeded(napi_get_named_property(env, object, name, &value));
    return value;
  }

  RecordedGraph *Graph(napi_value value) {
    void *graph = nullptr;
    if (ok) ok = Succeeded(napi_get_value_external(env, value, &graph));
    return static_cast<RecordedGraph *>(graph);
  }

  TFE_TensorHandle *Tensor(napi_value id) {
    int64_t key = Integer(id);
    if (!ok) return nullptr;
    auto &handles = Backend()->tfe_handle_map_;
    auto found = handles.find(static_cast<int32_t>(key));
    if (found != handles.end()) return found->second;
    Fail("no tensor has this id");
    return nullptr;
  }

  /** An output of a graph's nodes by its index. */
  TF_Output Value(RecordedGraph *graph, int64_t index) {
    if (ok && index >= 0 && index < static_cast<int64_t>(graph->values.size())) return graph->values[index];
    Fail("no value of the graph has this index");
    return {nullptr, 0};
  }

  /** Nodes of a graph by their indices. */
  std::vector<TF_Operation *> Operations(RecordedGraph *graph, napi_value indices) {
    std::vector<TF_Operation *> operations;
    for (int64_t index : Integers(indices)) {
      if (index < 0 || index >= static_cast<int64_t>(graph->operations.size())) Fail("no node of the graph has this index");
      if (ok) operations.push_back(graph->operations[index]);
    }
    return operations;
  }

  std::vector<TF_Output> Values(RecordedGraph *graph, napi_value indices) {
    std::vector<TF_Output> values;
    for (int64_t index : Integers(indices)) values.push_back(Value(graph, index));
    return values;
  }

  napi_value Result(int64_t number) {
    napi_value value = nullptr;
    if (ok) ok = Succeeded(napi_create_int64(env, number, &value));
    return value;
  }

  TFJSBackend *Backend() { return GetTFJSBackend(env); }

  napi_env env;
  bool ok = false;

 private:
  static constexpr size_t kMost = 6;
  napi_value args_[kMost];
};

/** {id, shape, dtype}, as `executeOp` returns it; a shape of null where TensorFlow cannot tell it. */
napi_value Metadata(Call &call, int64_t id, const std::vector<int64_t> &shape, bool isKnown, TF_DataType type) {
  napi_value result, sides;
  call.ok = call.ok && call.Succeeded(napi_create_object(call.env, &result)) &&
            call.Succeeded(isKnown ? napi_create_array_with_length(call.env, shape.size(), &sides)
                                   : napi_get_null(call.env, &sides));
  for (size_t axis = 0; call.ok && isKnown && axis < shape.size(); axis++) {
    napi_value side = call.Result(shape[axis]);
    call.ok = call.ok && call.Succeeded(napi_set_element(call.env, sides, axis, side));
  }
  const auto set = [&](const char *name, napi_value value) {
    call.ok = call.ok && call.Succeeded(napi_set_named_property(call.env, result, name, value));
  };
  set("id", call.Result(id));
  set("dtype", call.Result(type));
  set("shape", sides);
  return call.ok ? result : nullptr;
}

std::vector<int64_t> ShapeOf(Call &call, TFE_TensorHandle *tensor) {
  TF_AutoStatus status;
  const int axes = TFE_TensorHandleNumDims(tensor, status.status);
  std::vector<int64_t> shape(axes < 0 ? 0 : axes);
  for (int axis = 0; axis < axes; axis++) shape[axis] = TFE_TensorHandleDim(tensor, axis, status.status);
  call.Check(status);
  return shape;
}

}  // namespace
}  // namespace tfnodejs
