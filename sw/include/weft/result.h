// SPDX-License-Identifier: Apache-2.0
//
// Errors as values. A user's mistake (a bad file, an unsupported operator, a wrong size) is an
// `Error` with one message that says what was wrong, where, and what to do. Assertions are kept
// for our own bugs; nothing in the public interface throws.
//
//   weft::Result<Graph> graph = weft::ImportTflite("model.tflite");
//   if (!graph) { std::cerr << graph.error().message << "\n"; return 1; }
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace weft {

/// What went wrong, in one line a user can act on. No trailing newline.
struct Error {
  std::string message;
};

/// A value or an Error.
template <typename T>
using Result = tl::expected<T, Error>;

/// Success or an Error.
using Status = tl::expected<void, Error>;

/// Builds the error arm of a Result from a format string: `return Fail("op {}: ...", index);`
template <typename... Args>
tl::unexpected<Error> Fail(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace weft
