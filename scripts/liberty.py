# SPDX-License-Identifier: Apache-2.0
"""Liberty cell libraries: where a target's is, and parts of their text; not a program."""
import gzip
import os
import re
import tomllib
from pathlib import Path

from elaborate import CONSTRAINTS, ROOT, fail

CELL = re.compile(r'^[ \t]*cell *\( *"?([\w$]+)"? *\)', re.M)


def targets():
    return tomllib.loads((CONSTRAINTS / "targets.toml").read_text())


def find(name, given=None):
    """Path of a target's library: what was given, LIBERTY, an absolute path, or a file of the data."""
    target = targets()[name]
    given = given or os.environ.get("LIBERTY")
    data = Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared"))
    path = Path(given) if given else data / "liberty" / target["liberty"]
    if not path.is_file():
        package = target.get("package")
        fail(f"no library {path}: "
             + (f"sudo apt-get install {package}" if package and not given else
                "set LIBERTY to the file, or WEFT_DATA to the folder that has liberty/"))
    return path


def read(path):
    """The text of a library that may be compressed."""
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def without(text, omit):
    """The text without the cells whose names match `omit`."""
    kept, end = [], 0
    for cell in CELL.finditer(text):
        if not re.fullmatch(omit, cell[1]):
            continue
        depth = 0
        for brace in re.compile(r"[{}]").finditer(text, cell.end()):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                break
        kept.append(text[end:cell.start()])
        end = brace.end()
    return "".join(kept) + text[end:]


def areas(text):
    """Area of each cell, in the library's unit (square micrometres in those known here)."""
    found = {}
    for cell in CELL.finditer(text):
        area = re.compile(r"^\s*area *: *\"?([\d.]+)", re.M).search(text, cell.end())
        found[cell[1]] = float(area[1])
    return found


def memories(sizes, access, setup):
    """A library of macros weft_ram_WIDTHxDEPTHxGRANULE, given as (width, depth, granule).

    `access` ns from the clock to the data, `setup` ns before it for every input; no area, no load
    dependence. Numbers to plan with until a memory compiler gives better ones.
    """
    types, cells = {}, []
    for width, depth, granule in sizes:
        name = f"weft_ram_{width}x{depth}x{granule}"
        address = max(1, (depth - 1).bit_length())
        pins = []
        for pin, bits in [("rd_addr_i", address), ("wr_addr_i", address), ("wr_data_i", width),
                          ("wr_mask_i", width // granule), ("rd_en_i", 1), ("wr_en_i", 1)]:
            limits = (f'timing () {{ related_pin : "clk_i"; timing_type : setup_rising; '
                      f'rise_constraint (scalar) {{ values ("{setup}"); }} '
                      f'fall_constraint (scalar) {{ values ("{setup}"); }} }}')
            pins.append(_port(types, pin, bits, "input", f"capacitance : 0.005; {limits}"))
        delays = (f'timing () {{ related_pin : "clk_i"; timing_type : rising_edge; '
                  f'cell_rise (scalar) {{ values ("{access}"); }} '
                  f'cell_fall (scalar) {{ values ("{access}"); }} '
                  f'rise_transition (scalar) {{ values ("0.1"); }} '
                  f'fall_transition (scalar) {{ values ("0.1"); }} }}')
        pins.append(_port(types, "rd_data_o", width, "output", delays))
        cells.append(f"  cell ({name}) {{\n    area : 0;\n"
                     "    pin (clk_i) { direction : input; clock : true; capacitance : 0.005; }\n    "
                     + "\n    ".join(pins) + "\n  }\n")
    return ('library (weft_memories) {\n  delay_model : table_lookup;\n  time_unit : "1ns";\n'
            '  voltage_unit : "1V";\n  current_unit : "1uA";\n  capacitive_load_unit (1, pf);\n'
            '  pulling_resistance_unit : "1kohm";\n  leakage_power_unit : "1nW";\n'
            '  input_threshold_pct_rise : 50;\n  input_threshold_pct_fall : 50;\n'
            '  output_threshold_pct_rise : 50;\n  output_threshold_pct_fall : 50;\n'
            '  slew_lower_threshold_pct_rise : 20;\n  slew_lower_threshold_pct_fall : 20;\n'
            '  slew_upper_threshold_pct_rise : 80;\n  slew_upper_threshold_pct_fall : 80;\n'
            + "".join(types.values()) + "".join(cells) + "}\n")


def _port(types, name, bits, direction, rest):
    if bits == 1 and name in ("rd_en_i", "wr_en_i"):
        return f"pin ({name}) {{ direction : {direction}; {rest} }}"
    types[bits] = (f"  type (bits{bits}) {{ base_type : array; data_type : bit; bit_width : {bits}; "
                   f"bit_from : {bits - 1}; bit_to : 0; downto : true; }}\n")
    return f"bus ({name}) {{ bus_type : bits{bits}; direction : {direction}; {rest} }}"
