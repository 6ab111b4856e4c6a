// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace weft {

/// The text with every byte that is not part of a printable, well-formed UTF-8 character replaced
/// by '?': names from a file then fit on one line of a message and into a JSON report.
std::string PrintableUtf8(std::string_view text);

}  // namespace weft
