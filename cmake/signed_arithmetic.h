// SPDX-License-Identifier: Apache-2.0
//
// Signed arithmetic as compilers know it, in place of the bit operations of Verilator's run time:
// casts become part of vector loads, products need no extension (their low bits depend on the low
// bits of the factors only), shifts are one instruction. Included in front of a model's generated
// files by verilate.py. Values come in clean, results may have rubbish above their width, as there.
#pragma once

#include <verilated.h>

static inline IData WeftSignExtend(int bits, IData value) {
  if (bits == 8) return static_cast<IData>(static_cast<int8_t>(value));
  if (bits == 16) return static_cast<IData>(static_cast<int16_t>(value));
  return static_cast<IData>(static_cast<int32_t>(value << (32 - bits)) >> (32 - bits));
}

static inline QData WeftSignExtend64(int bits, QData value) {
  if (bits == 8) return static_cast<QData>(static_cast<int8_t>(value));
  if (bits == 16) return static_cast<QData>(static_cast<int16_t>(value));
  if (bits == 32) return static_cast<QData>(static_cast<int32_t>(value));
  return static_cast<QData>(static_cast<int64_t>(value << (64 - bits)) >> (64 - bits));
}

static inline QData WeftShiftRight64(int bits, QData value, IData amount) {
  return static_cast<QData>(static_cast<int64_t>(WeftSignExtend64(bits, value)) >> amount);
}

#define VL_EXTENDS_II(result_bits, bits, value) WeftSignExtend(bits, value)
#define VL_EXTENDS_QI(result_bits, bits, value) WeftSignExtend64(bits, value)
#define VL_EXTENDS_QQ(result_bits, bits, value) WeftSignExtend64(bits, value)
#define VL_MULS_III(bits, a, b) (static_cast<IData>(a) * static_cast<IData>(b))
#define VL_MULS_QQQ(bits, a, b) (static_cast<QData>(a) * static_cast<QData>(b))
#define VL_SHIFTRS_QQI(result_bits, bits, amount_bits, value, amount) \
  WeftShiftRight64(bits, value, amount)
