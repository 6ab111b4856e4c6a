// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "sw/compile/compile_network.h"
#include "sw/compile/legalise.h"
#include "sw/compile/predict.h"
#include "weft/estimate.h"

namespace weft {

Result<Estimate> EstimateNetwork(const Graph& graph, const HardwareConfig& config,
                                 const CompileOptions& options, const MemoryTiming& memory) {
  if (Status status = ValidateGraph(graph); !status) return tl::unexpected(status.error());
  Result<compile::Network> legalised = compile::Legalise(graph, options.rounding);
  if (!legalised) return tl::unexpected(legalised.error());
  const Result<compile::NetworkPlan> plan = compile::PlanNetwork(std::move(*legalised), config);
  if (!plan) return tl::unexpected(plan.error());
  const compile::Network& network = plan->network;
  Estimate estimate = compile::Predict(network, plan->allocation, memory, config);
  estimate.images = network.images;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const compile::Layer& from = network.layers[i];
    const compile::Extent& out = network.values[static_cast<size_t>(from.out)].extent;
    LayerEstimate& to = estimate.layers[i];
    to.name = from.name;
    to.op = OpKindName(from.op);
    to.source_ops = from.source_ops;
    std::sort(to.source_ops.begin(), to.source_ops.end());
    to.output_shape = {1, out.h, out.w, out.c};
    to.macs = from.macs;
    estimate.macs += from.macs;
  }
  return estimate;
}

}  // namespace weft
