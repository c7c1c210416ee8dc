// Part of functions.cc: a function of TensorFlow runs on a thread of its own, and JavaScript goes on meanwhile.

#pragma once

#include <pthread.h>
#include <signal.h>

#include "call.h"

namespace tfnodejs {
namespace {

/** A function that runs on a thread of its own. */
struct Run {
  TFE_Op *operation = nullptr;
  std::vector<TFE_TensorHandle *> outputs;
  TF_Status *status = TF_NewStatus();
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;

  ~Run() {
    if (operation != nullptr) TFE_DeleteOp(operation);
    TF_DeleteStatus(status);
  }
};

void ExecuteRun(napi_env, void *data) {
  auto *run = static_cast<Run *>(data);
  // See signals.cc: this thread computes too, and may be older than the binding.
  sigset_t all, before;
  sigfillset(&all);
  for (int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) sigdelset(&all, own);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int count = static_cast<int>(run->outputs.size());
  TFE_Execute(run->operation, run->outputs.data(), &count, run->status);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

napi_value OutputsOf(Call &call, const std::vector<TFE_TensorHandle *> &outputs) {
  napi_value results = nullptr;
  call.ok = call.ok && call.Succeeded(napi_create_array_with_length(call.env, outputs.size(), &results));
  for (size_t i = 0; call.ok && i < outputs.size(); i++) {
    napi_value described = call.Backend()->GenerateOutputTensorInfo(call.env, outputs[i]);
    call.ok = call.Succeeded(napi_set_element(call.env, results, i, described));
  }
  return results;
}

void CompleteRun(napi_env env, napi_status, void *data) {
  std::unique_ptr<Run> run(static_cast<Run *>(data));
  napi_delete_async_work(env, run->work);
  Call call(env);
  if (TF_GetCode(run->status) == TF_OK) {
    napi_value outputs = OutputsOf(call, run->outputs);
    if (call.ok) napi_resolve_deferred(env, run->deferred, outputs);
    return;
  }
  napi_value message, error;
  napi_create_string_utf8(env, TF_Message(run->status), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, nullptr, message, &error);
  napi_reject_deferred(env, run->deferred, error);
}

/** (function's name, ids of its inputs, number of outputs) → a promise of {id, shape, dtype} of each output. */
napi_value RunFunction(napi_env env, napi_callback_info info) {
  Call call(env, info, 3);
  const std::string name = call.Text(call.At(0));
  auto run = std::make_unique<Run>();
  if (!call.ok) return nullptr;
  run->operation = TFE_NewOp(call.Backend()->tfe_context_, name.c_str(), run->status);
  for (napi_value id : call.Elements(call.At(1))) {
    TFE_TensorHandle *tensor = call.Tensor(id);
    if (call.ok && TF_GetCode(run->status) == TF_OK) TFE_OpAddInput(run->operation, tensor, run->status);
  }
  if (TF_GetCode(run->status) != TF_OK) call.Fail(TF_Message(run->status));
  const int64_t outputs = call.Integer(call.At(2));
  if (!call.ok) return nullptr;
  run->outputs.resize(outputs);
  napi_value promise, title;
  call.ok = call.Succeeded(napi_create_promise(env, &run->deferred, &promise)) &&
            call.Succeeded(napi_create_string_utf8(env, name.c_str(), NAPI_AUTO_LENGTH, &title)) &&
            call.Succeeded(napi_create_async_work(env, nullptr, title, ExecuteRun, CompleteRun, run.get(), &run->work)) &&
            call.Succeeded(napi_queue_async_work(env, run->work));
  if (!call.ok) return nullptr;
  run.release();
  return promise;
}

}  // namespace
}  // namespace tfnodejs
