// SPDX-License-Identifier: Apache-2.0
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
  const auto& [network, allocation] = *plan;
  Estimate estimate = compile::Predict(network, allocation, memory, config);
  estimate.images = network.images;
  for (size_t u = 0; u < allocation.units.size(); ++u) {
    ProgramLayer unit = compile::DescribeUnit(network, allocation.units[u]);
    LayerEstimate& layer = estimate.layers[u];
    layer.name = std::move(unit.name);
    layer.op = std::move(unit.op);
    layer.source_ops = std::move(unit.source_ops);
    layer.output_shape = std::move(unit.output_shape);
    layer.macs = unit.macs;
    estimate.macs += unit.macs;
  }
  return estimate;
}

}  // namespace weft
