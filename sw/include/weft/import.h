// SPDX-License-Identifier: Apache-2.0
//
// Reads model files into a Graph.
//
//   weft::Result<weft::Graph> graph = weft::ImportTflite("model.tflite");
//   if (!graph) { ... graph.error().message: "model.tflite: truncated or damaged: ..." }
//   weft::Status supported = weft::RequireSupported(*graph);
//   if (!supported) { ... "operator 3 (LSTM) is not supported: ..." }
//
// What is done to the file's operators on the way in (see weft/graph.h for the result):
//   - SAME and VALID become explicit padding, which may be asymmetric.
//   - The depthwise multiplier is taken from the shapes, whatever the attribute says.
//   - Convolutions and fully connected layers always get three inputs; -1 stands for no bias.
//   - Paddings, shapes and axes given as constant inputs become attributes; of PAD and the views
//     only the data input is kept.
//   - A weight tensor with one zero point (or none) for several scales gets one for each.
//   - Names keep printable UTF-8; any other byte is replaced by '?'.
//   - What Weft cannot run is kept as OpKind::kUnsupported with the reason, so a model can be
//     listed in full. Every further subgraph is represented by one such node.
//
// Errors are those of the file: unreadable, not TensorFlow Lite, truncated, damaged, or
// contradicting itself. Every offset, count, index, shape and buffer is checked; no file makes the
// importer read outside the file, allocate more than some tens of times its size, or crash.
// Neither function keeps a reference to its arguments. Both may be called from several threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "weft/graph.h"
#include "weft/result.h"

namespace weft {

/// Reads a .tflite file. The graph has passed ValidateGraph; its name is the file's name.
Result<Graph> ImportTflite(const std::string& path);

/// The same for a file already in memory; `name` becomes the graph's name and begins every error.
Result<Graph> ImportTfliteBuffer(std::span<const uint8_t> bytes, std::string name);

/// An error when the graph holds unsupported operators: it names the first one, its index, its
/// tensor and the reason, and says how many more there are.
Status RequireSupported(const Graph& graph);

}  // namespace weft
