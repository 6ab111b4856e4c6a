#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of what cells.py and energy.py compute. Run: python3 scripts/test_scripts.py -v"""
import tempfile
import unittest
from pathlib import Path

import cells
import energy
import liberty
import gds

LIBRARY = """
library (small) { /* a comment with { braces } */
  cell ("inv_1") {
    cell_leakage_power : 2.5;
    pin ("A") { direction : "input"; capacitance : 0.002; }
    pin ("Y") {
      direction : "output"; function : "!A";
      internal_power () {
        related_pin : "A";
        rise_power ("t") { index_1 ("0.01, 0.05"); index_2 ("0.0, 1.0"); \\
                           values ("9, 9", "0.3, 1.3"); }
        fall_power ("t") { index_1 ("0.01, 0.05"); index_2 ("0.0, 1.0");
                           values ("9, 9", "0.1, -0.9"); }
      }
      timing () {
        related_pin : "A";
        cell_rise ("t") { index_1 ("0.01, 0.05"); index_2 ("0.0, 1.0"); values ("9, 9", "0.2, 0.4"); }
        cell_fall ("t") { index_1 ("0.01, 0.05"); index_2 ("0.0, 1.0"); values ("9, 9", "0.1, 0.5"); }
      }
    }
  }
  cell ("sky130_fd_sc_hd__lpflow_bleeder_1") { pin ("A") { direction : "input"; } }
  cell ("dff_1") {
    ff ("IQ", "IQ_N") { clocked_on : "CLK"; next_state : "D"; }
    pin ("CLK") { direction : "input"; capacitance : 0.001;
      internal_power () { rise_power ("u") { index_1 ("0.01, 0.05"); values ("1, 2"); }
                          fall_power ("u") { index_1 ("0.01, 0.05"); values ("3, 4"); } } }
  }
}
"""


class Liberty(unittest.TestCase):
    def setUp(self):
        self.library = cells.parse(LIBRARY)

    def cell(self, name):
        group = next(g for g in self.library.all("cell") if g.arguments[0] == name)
        return energy.Cell(group)

    def test_groups_attributes_and_tables(self):
        self.assertEqual([cell.arguments[0] for cell in self.library.all("cell")],
                         ["inv_1", "sky130_fd_sc_hd__lpflow_bleeder_1", "dff_1"])
        self.assertEqual(self.library.all("cell")[0].number("cell_leakage_power"), 2.5)

    def test_cells_that_logic_must_not_use_are_cut_out(self):
        text = liberty.without(LIBRARY, cells.UNUSED)
        names = [cell.arguments[0] for cell in cells.parse(text).all("cell")]
        self.assertEqual(names, ["inv_1", "dff_1"])

    def test_delay_and_energy_are_taken_at_the_stated_transition(self):
        inverter = self.cell("inv_1")
        rise, fall = inverter.delays["Y"]
        self.assertAlmostEqual(energy.interpolate(rise, 0.5), 0.3)
        self.assertAlmostEqual(energy.interpolate(fall, 0.5), 0.3)
        # the load's own energy, added to the rising and taken from the falling edge, is gone
        self.assertAlmostEqual(energy.interpolate(inverter.energies["Y"], 0.0), 0.2)
        self.assertAlmostEqual(energy.interpolate(inverter.energies["Y"], 1.0), 0.2)
        self.assertEqual(energy.interpolate(inverter.energies["A"], 1.0), 0)

    def test_a_clock_pin_has_energy_without_a_load(self):
        flop = self.cell("dff_1")
        self.assertIsNotNone(flop.flop)
        self.assertAlmostEqual(energy.interpolate(flop.energies["CLK"], 7.0), 3.0)

    def test_a_file_that_is_no_library_is_refused(self):
        with self.assertRaises(SystemExit):
            cells.parse("library (x) { cell (y) { ")


class Energy(unittest.TestCase):
    def test_functions_become_verilog_of_nets(self):
        self.assertEqual(energy.expression("(!A) | (!B)", {"A": 4, "B": "0"}), "((~n4) | (~1'b0))")

    def test_constants_solve_the_windows(self):
        self.assertEqual(energy.solve([({"x": 4}, 8.0)]), {"x": 2.0})
        found = energy.solve([({"x": 1, "y": 2}, 8.0), ({"x": 3, "y": 1}, 9.0)])
        self.assertAlmostEqual(found["x"], 2.0)
        self.assertAlmostEqual(found["y"], 3.0)

    def test_the_recorder_has_every_port_of_a_module(self):
        ports = energy.ports_of("weft_skid")
        self.assertEqual([(direction, name) for direction, _, name in ports],
                         [("input", "rst_ni"), ("input", "valid_i"), ("output", "ready_o"),
                          ("input", "data_i"), ("output", "valid_o"), ("input", "ready_i"),
                          ("output", "data_o")])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recorder.sv"
            energy.write_recorder(path, ["weft_skid"])
            self.assertIn("bind weft_skid record_weft_skid u_record (.*);", path.read_text())


class Gds(unittest.TestCase):
    def test_the_lane_is_a_configuration_of_its_own(self):
        package = gds.lane_package()
        lane = package[package.index("WEFT_CONFIG_LANE"):]
        self.assertIn("localparam int unsigned K = 8;", lane)
        self.assertIn("localparam int unsigned N = 1;", lane)


if __name__ == "__main__":
    unittest.main()
