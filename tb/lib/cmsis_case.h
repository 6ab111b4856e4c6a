// SPDX-License-Identifier: Apache-2.0
//
// Reads one operator vector of the CMSIS-NN suite: case.json and its raw little-endian tensors.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft::testing {

class CmsisCase {
 public:
  explicit CmsisCase(const std::filesystem::path& folder) : folder_(folder) {
    std::ifstream(folder / "case.json") >> json_;
  }

  std::string Op() const { return json_.at("op"); }
  bool Has(const std::string& tensor) const { return json_.at("tensors").contains(tensor); }
  std::string Type(const std::string& tensor) const { return Info(tensor).at("dtype"); }
  std::vector<int> Shape(const std::string& tensor) const { return Info(tensor).at("shape"); }

  /// An attribute or quantisation parameter. Must be there.
  int Attr(const std::string& name) const { return json_.at("attrs").at(name); }
  std::vector<int> AttrList(const std::string& name) const { return json_.at("attrs").at(name); }
  int Quant(const std::string& name) const { return json_.at("quant").at(name); }

  /// The tensor's elements; empty when the case has no such tensor.
  template <typename T>
  std::vector<T> Values(const std::string& tensor) const {
    if (!Has(tensor)) return {};
    std::ifstream file(folder_ / Info(tensor).at("file").get<std::string>(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

 private:
  const nlohmann::json& Info(const std::string& tensor) const {
    return json_.at("tensors").at(tensor);
  }

  std::filesystem::path folder_;
  nlohmann::json json_;
};

}  // namespace weft::testing
