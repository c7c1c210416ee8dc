// Part of functions.cc: attributes of a node, as JavaScript gives them to `executeOp`: {name, type, value}.

#pragma once

#include "call.h"

namespace tfnodejs {
namespace {

/** A list's elements, each read by `read`. */
template <typename T, typename Read>
std::vector<T> ListOf(Call &call, napi_value array, Read read) {
  std::vector<T> list;
  for (napi_value element : call.Elements(array)) list.push_back(static_cast<T>(read(element)));
  return list;
}

void SetAttribute(Call &call, TF_OperationDescription *node, napi_value attribute) {
  const std::string text = call.Text(call.Property(attribute, "name"));
  const char *name = text.c_str();
  const auto type = static_cast<TF_AttrType>(call.Integer(call.Property(attribute, "type")));
  napi_value value = call.Property(attribute, "value");
  const bool isList = call.IsArray(value);
  if (!call.ok) return;
  const auto size = [](const auto &list) { return static_cast<int>(list.size()); };
  switch (type) {
    case TF_ATTR_STRING: {
      const std::string string = call.Text(value);
      return TF_SetAttrString(node, name, string.data(), string.size());
    }
    case TF_ATTR_INT: {
      if (!isList) return TF_SetAttrInt(node, name, call.Integer(value));
      const auto list = call.Integers(value);
      return TF_SetAttrIntList(node, name, list.data(), size(list));
    }
    case TF_ATTR_FLOAT: {
      const auto read = [&](napi_value element) { return call.Number(element); };
      if (!isList) return TF_SetAttrFloat(node, name, static_cast<float>(call.Number(value)));
      const auto list = ListOf<float>(call, value, read);
      return TF_SetAttrFloatList(node, name, list.data(), size(list));
    }
    case TF_ATTR_BOOL: {
      const auto read = [&](napi_value element) { return call.Flag(element); };
      if (!isList) return TF_SetAttrBool(node, name, call.Flag(value));
      const auto list = ListOf<unsigned char>(call, value, read);
      return TF_SetAttrBoolList(node, name, list.data(), size(list));
    }
    case TF_ATTR_TYPE: {
      const auto read = [&](napi_value element) { return call.Integer(element); };
      if (!isList) return TF_SetAttrType(node, name, static_cast<TF_DataType>(call.Integer(value)));
      const auto list = ListOf<TF_DataType>(call, value, read);
      return TF_SetAttrTypeList(node, name, list.data(), size(list));
    }
    case TF_ATTR_SHAPE: {
      const auto shape = call.Integers(value);
      return TF_SetAttrShape(node, name, shape.data(), size(shape));
    }
    default:
      call.Fail("an attribute of a type that no node has here");
  }
}

}  // namespace
}  // namespace tfnodejs
