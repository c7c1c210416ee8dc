// Compiled into TensorFlow's binding beside the npm package's own sources: a sequence of operations as one TensorFlow
// function, which runs as one operation. (One by one each costs 70 to 90 microseconds of JavaScript and dispatch.)
//
// tensor/functions records the sequence: `graphOperation` takes what `executeOp` takes, and adds a node to a graph instead
// of running it. What a node waits for, beside its inputs, is the recording's to say (tensor/functions/part.ts).

#include "call.h"
#include "graph_attributes.h"
#include "run_function.h"
#include "vectors.h"

namespace tfnodejs {
namespace {

/** () → a graph. */
napi_value NewGraph(napi_env env, napi_callback_info info) {
  Call call(env, info, 0);
  napi_value result = nullptr;
  auto *graph = new RecordedGraph;
  auto free = [](napi_env, void *data, void *) { delete static_cast<RecordedGraph *>(data); };
  if (call.ok && call.Succeeded(napi_create_external(env, graph, free, nullptr, &result))) return result;
  delete graph;
  return nullptr;
}

/** (tensor's id) → {id, shape, dtype}. */
napi_value DescribeTensor(napi_env env, napi_callback_info info) {
  Call call(env, info, 1);
  TFE_TensorHandle *tensor = call.Tensor(call.At(0));
  if (!call.ok) return nullptr;
  const auto shape = ShapeOf(call, tensor);
  return Metadata(call, call.Integer(call.At(0)), shape, true, TFE_TensorHandleDataType(tensor));
}

int64_t Append(RecordedGraph *graph, TF_Operation *node) {
  graph->values.push_back({node, 0});
  return static_cast<int64_t>(graph->values.size()) - 1;
}

/** (graph, tensor's id) → index of an argument of the function, of that tensor's type and shape. */
napi_value GraphInput(napi_env env, napi_callback_info info) {
  Call call(env, info, 2);
  RecordedGraph *graph = call.Graph(call.At(0));
  TFE_TensorHandle *tensor = call.Tensor(call.At(1));
  if (!call.ok) return nullptr;
  TF_AutoStatus status;
  const auto shape = ShapeOf(call, tensor);
  if (!call.ok) return nullptr;
  TF_OperationDescription *node = TF_NewOperation(graph->graph, "Placeholder", graph->NextName().c_str());
  TF_SetAttrType(node, "dtype", TFE_TensorHandleDataType(tensor));
  TF_SetAttrShape(node, "shape", shape.data(), static_cast<int>(shape.size()));
  TF_Operation *finished = TF_FinishOperation(node, status.status);
  return call.Check(status) ? call.Result(Append(graph, finished)) : nullptr;
}

/** (graph, tensor's id) → index of a constant with that tensor's numbers. */
napi_value GraphConstant(napi_env env, napi_callback_info info) {
  Call call(env, info, 2);
  RecordedGraph *graph = call.Graph(call.At(0));
  TFE_TensorHandle *tensor = call.Tensor(call.At(1));
  if (!call.ok) return nullptr;
  TF_AutoStatus status;
  TF_AutoTensor values(TFE_TensorHandleResolve(tensor, status.status));
  if (!call.Check(status)) return nullptr;
  TF_OperationDescription *node = TF_NewOperation(graph->graph, "Const", graph->NextName().c_str());
  TF_SetAttrType(node, "dtype", TF_TensorType(values.tensor));
  TF_SetAttrTensor(node, "value", values.tensor, status.status);
  // A description that is not finished would leak: an error of the attribute is told by the next check too.
  TF_AutoStatus finishing;
  TF_Operation *finished = TF_FinishOperation(node, finishing.status);
  return call.Check(status) && call.Check(finishing) ? call.Result(Append(graph, finished)) : nullptr;
}

/** {id, shape, dtype} of a node's output; its shape is null where TensorFlow cannot tell it. */
napi_value DescribeOutput(Call &call, RecordedGraph *graph, TF_Output output) {
  TF_AutoStatus status;
  int axes = TF_GraphGetTensorNumDims(graph->graph, output, status.status);
  std::vector<int64_t> shape(axes < 0 ? 0 : axes);
  if (axes > 0) TF_GraphGetTensorShape(graph->graph, output, shape.data(), axes, status.status);
  if (!call.Check(status)) return nullptr;
  bool isKnown = axes >= 0;
  for (int64_t side : shape) isKnown = isKnown && side >= 0;
  graph->values.push_back(output);
  const int64_t index = static_cast<int64_t>(graph->values.size()) - 1;
  return Metadata(call, index, shape, isKnown, TF_OperationOutputType(output));
}

/**
 * (graph, operation's name, attributes, inputs, indices of nodes that it runs after) → its outputs, as {id, shape, dtype}.
 * An input is an index of a value; an array of them where the operation takes a list.
 */
napi_value GraphOperation(napi_env env, napi_callback_info info) {
  Call call(env, info, 5);
  RecordedGraph *graph = call.Graph(call.At(0));
  std::string kind = call.Text(call.At(1));
  std::vector<napi_value> attributes = call.Elements(call.At(2));
  std::vector<napi_value> inputs = call.Elements(call.At(3));
  std::vector<std::vector<TF_Output>> values;
  std::vector<bool> lists;
  for (napi_value input : inputs) {
    lists.push_back(call.IsArray(input));
    if (lists.back()) {
      values.push_back(call.Values(graph, input));
    } else {
      values.push_back({call.Value(graph, call.Integer(input))});
    }
  }
  if (!call.ok) return nullptr;
  const std::vector<TF_Operation *> earlier = call.Operations(graph, call.At(4));
  if (!call.ok) return nullptr;
  TF_OperationDescription *node = TF_NewOperation(graph->graph, kind.c_str(), graph->NextName().c_str());
  for (size_t i = 0; i < values.size(); i++) {
    if (lists[i]) TF_AddInputList(node, values[i].data(), static_cast<int>(values[i].size()));
    else TF_AddInput(node, values[i][0]);
  }
  for (napi_value attribute : attributes) SetAttribute(call, node, attribute);
  for (TF_Operation *operation : earlier) TF_AddControlInput(node, operation);
  TF_AutoStatus status;
  TF_Operation *finished = TF_FinishOperation(node, status.status);
  if (!call.ok || !call.Check(status)) return nullptr;
  graph->operations.push_back(finished);
  napi_value results;
  int outputs = TF_OperationNumOutputs(finished);
  call.ok = call.Succeeded(napi_create_array_with_length(env, outputs, &results));
  for (int i = 0; call.ok && i < outputs; i++) {
    napi_value described = DescribeOutput(call, graph, {finished, i});
    call.ok = call.ok && call.Succeeded(napi_set_element(env, results, i, described));
  }
  return call.ok ? results : nullptr;
}

/** (graph, index of a value, shape): what TensorFlow could not tell by itself. */
napi_value GraphShape(napi_env env, napi_callback_info info) {
  Call call(env, info, 3);
  RecordedGraph *graph = call.Graph(call.At(0));
  int64_t index = call.Integer(call.At(1));
  std::vector<int64_t> shape = call.Integers(call.At(2));
  const TF_Output value = call.Value(graph, index);
  if (!call.ok) return nullptr;
  TF_AutoStatus status;
  TF_GraphSetTensorShape(graph->graph, value, shape.data(), static_cast<int>(shape.size()), status.status);
  call.Check(status);
  return nullptr;
}

/**
 * (graph, name, indices of its inputs, indices of its outputs, indices of nodes that are to run though no output depends on
 * them): makes it a function of the context, to be run by name.
 */
napi_value GraphFunction(napi_env env, napi_callback_info info) {
  Call call(env, info, 5);
  RecordedGraph *graph = call.Graph(call.At(0));
  std::string name = call.Text(call.At(1));
  if (!call.ok) return nullptr;
  std::vector<TF_Output> inputs = call.Values(graph, call.At(2));
  std::vector<TF_Output> outputs = call.Values(graph, call.At(3));
  if (!call.ok) return nullptr;
  std::vector<TF_Operation *> effects = call.Operations(graph, call.At(4));
  TFJSBackend *backend = call.Backend();
  if (!call.ok || backend == nullptr) return nullptr;
  TF_AutoStatus status;
  std::unique_ptr<TF_Function, decltype(&TF_DeleteFunction)> function(
      TF_GraphToFunctionWithControlOutputs(graph->graph, name.c_str(), 0, -1, nullptr, static_cast<int>(inputs.size()),
                                           inputs.data(), static_cast<int>(outputs.size()), outputs.data(), nullptr,
                                           static_cast<int>(effects.size()), effects.data(), nullptr, nullptr, "",
                                           status.status),
      TF_DeleteFunction);
  if (!call.Check(status)) return nullptr;
  TFE_ContextAddFunction(backend->tfe_context_, function.get(), status.status);
  call.Check(status);
  return nullptr;
}

/** (name): forgets a function. */
napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  Call call(env, info, 1);
  std::string name = call.Text(call.At(0));
  TFJSBackend *backend = call.Backend();
  if (!call.ok || backend == nullptr) return nullptr;
  TF_AutoStatus status;
  TFE_ContextRemoveFunction(backend->tfe_context_, name.c_str(), status.status);
  call.Check(status);
  return nullptr;
}

/** (tensor's id) → the id of a second handle on it, with a life of its own. */
napi_value ShareTensor(napi_env env, napi_callback_info info) {
  Call call(env, info, 1);
  TFE_TensorHandle *tensor = call.Tensor(call.At(0));
  if (!call.ok) return nullptr;
  TF_AutoStatus status;
  TFE_TensorHandle *second = TFE_TensorHandleCopySharingTensor(tensor, status.status);
  return call.Check(status) ? call.Result(call.Backend()->InsertHandle(second)) : nullptr;
}

napi_value Initialise(napi_env env, napi_value exports) {
  if (InitTFNodeJSBinding(env, exports) == nullptr) return nullptr;
  const std::string wrong = WrongVectors();
  if (!wrong.empty()) {
    napi_throw_error(env, nullptr, wrong.c_str());
    return nullptr;
  }
  napi_value vectors;
  napi_status created = napi_create_string_utf8(env, NameOf(ChosenVectors()), NAPI_AUTO_LENGTH, &vectors);
  ENSURE_NAPI_OK_RETVAL(env, created, nullptr);
  const napi_property_descriptor added[] = {
      {"newGraph", nullptr, NewGraph, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"graphInput", nullptr, GraphInput, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"graphConstant", nullptr, GraphConstant, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"graphOperation", nullptr, GraphOperation, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"graphShape", nullptr, GraphShape, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"graphFunction", nullptr, GraphFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"removeFunction", nullptr, RemoveFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"describeTensor", nullptr, DescribeTensor, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"runFunction", nullptr, RunFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"shareTensor", nullptr, ShareTensor, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"vectors", nullptr, nullptr, nullptr, nullptr, vectors, napi_enumerable, nullptr},
  };
  napi_status status = napi_define_properties(env, exports, ARRAY_SIZE(added), added);
  ENSURE_NAPI_OK_RETVAL(env, status, nullptr);
  return exports;
}

}  // namespace
}  // namespace tfnodejs

NAPI_MODULE_INIT() { return tfnodejs::Initialise(env, exports); }
