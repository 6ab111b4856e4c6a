// SPDX-License-Identifier: Apache-2.0
//
// Records passed between the modules of the feed. Ports carry them as plain vectors of the widths
// below; a module that looks inside writes the _TYPE macro in its body and assigns the vector to a
// variable of the type. Field widths do not depend on the configuration.
`ifndef WEFT_FEED_TYPES
`define WEFT_FEED_TYPES

// A command, prepared: everything a RUN's block and beat loops need.
//   base       address of byte 0 of the input row of the first pixel's window row 0
//   col_first  byte offset in its row of the first pixel's window; col_row: of the rectangle's
//              column 0
//   wrap_pitch bytes from one output row's windows to the next's
//   pads       columns left of the image in a window row at col_row; pads_first: at col_first;
//              pads_x: offset of the next one
//   stride_cols  columns between neighbouring pixels
//   half       mode 3, whose columns are words: the window begins in the second half of the first
//   aligned    a window's column has one word of each row, at an offset the same for all rows:
//              0, or 1/2 with at most 1/2 word of channels, or n/4 with at most 1/4
`define WEFT_PLAN_BITS 492
`define WEFT_PLAN_TYPE \
  typedef struct packed { \
    logic null_op; \
    logic [1:0] mode; \
    logic acc_first; \
    logic acc_last; \
    logic shared; \
    logic aligned; \
    logic half; \
    logic [2:0] wait_mask; \
    logic [15:0] wait_load; \
    logic [15:0] wait_exec; \
    logic [15:0] wait_store; \
    logic [7:0] wait_step_block; \
    logic [3:0] wait_step_beat; \
    logic [7:0] pixels; \
    logic [11:0] tile_width; \
    logic [11:0] first_width; \
    logic [15:0] blocks; \
    logic [7:0] last_channels; \
    logic [11:0] beats; \
    logic [7:0] kernel_rows; \
    logic [16:0] kernel_span; \
    logic [15:0] pixel_bytes; \
    logic [20:0] step_bytes; \
    logic [7:0] stride_cols; \
    logic [7:0] stride_rows; \
    logic [15:0] in_rows; \
    logic [20:0] in_row_bytes; \
    logic [20:0] in_pitch; \
    logic [28:0] wrap_pitch; \
    logic [7:0] pad_value; \
    logic signed [15:0] in_y; \
    logic signed [39:0] base; \
    logic signed [35:0] col_first; \
    logic signed [21:0] col_row; \
    logic [21:0] pads; \
    logic [21:0] pads_first; \
    logic [21:0] pads_x; \
  } plan_t;

// What address generation needs for one beat, at its input row `row` for the first row of pixels,
// whose byte 0 is at `base`. Dense: fragments of n0 and n1 bytes, the first at byte x_first (first
// row of the rectangle) or x_rest (others) of that row, the second at byte col_first or col_row of
// the next. Window: a group of n0 rows and n1 columns; column 0 of a band of pixels that exists is
// at byte x_first (first band of the stripe) or x_rest, after `lead_*` columns of padding; base is
// that of the first channel.
`define WEFT_BEAT_BITS 426
`define WEFT_BEAT_TYPE \
  typedef struct packed { \
    logic window; \
    logic aligned; \
    logic [7:0] pixels; \
    logic [11:0] tile_width; \
    logic [11:0] first_width; \
    logic [7:0] n0; \
    logic [7:0] n1; \
    logic [7:0] channels; \
    logic [20:0] step_bytes; \
    logic [15:0] pixel_bytes; \
    logic [7:0] stride_cols; \
    logic [7:0] stride_rows; \
    logic [15:0] in_rows; \
    logic [20:0] in_row_bytes; \
    logic [20:0] in_pitch; \
    logic [28:0] wrap_pitch; \
    logic [7:0] pad_value; \
    logic signed [17:0] row; \
    logic signed [39:0] base; \
    logic signed [35:0] col_first; \
    logic signed [21:0] col_row; \
    logic signed [35:0] x_first; \
    logic signed [35:0] x_rest; \
    logic [15:0] lead_first; \
    logic [15:0] lead_rest; \
  } beat_t;

// What issuing operands needs for one beat: `first` overwrites the accumulators, `last` hands the
// buffer to post, `swap` takes new weights; the rest steers the window unit.
`define WEFT_ISSUE_BITS 103
`define WEFT_ISSUE_TYPE \
  typedef struct packed { \
    logic null_op; \
    logic [1:0] mode; \
    logic swap; \
    logic first; \
    logic last; \
    logic half; \
    logic [7:0] last_pixel; \
    logic [11:0] tile_width; \
    logic [11:0] first_width; \
    logic [7:0] rows; \
    logic [7:0] cols; \
    logic [7:0] stride_cols; \
    logic [7:0] pad_value; \
    logic [15:0] lead_first; \
    logic [15:0] lead_rest; \
  } issue_t;

// One step of address generation, at most four words. Fragment i: bytes addr_i .. +n_i-1, of which
// those from skip_i to before room_i exist, none unless ok[i]. `column`: the fragments are rows
// part_row and part_row + 1 of a column of the window unit (`aligned`: four rows, each in one word;
// those of rows 2 and 3 at addr2 and addr3), of which all bytes exist.
`define WEFT_PIECE_BITS 225
`define WEFT_PIECE_TYPE \
  typedef struct packed { \
    logic column; \
    logic aligned; \
    logic part_first; \
    logic part_last; \
    logic band_last; \
    logic [7:0] part_row; \
    logic [7:0] pad_value; \
    logic [3:0] ok; \
    logic [7:0] n0; \
    logic [7:0] n1; \
    logic signed [39:0] addr0; \
    logic signed [39:0] addr1; \
    logic signed [39:0] addr2; \
    logic signed [39:0] addr3; \
    logic [5:0] skip0; \
    logic [5:0] skip1; \
    logic [5:0] room0; \
    logic [5:0] room1; \
  } piece_t;

`endif
