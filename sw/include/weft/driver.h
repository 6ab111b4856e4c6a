// SPDX-License-Identifier: Apache-2.0
//
// The driver: everything a host does with a Weft device, in freestanding C99 (no allocation, no
// libc) over a table of callbacks. The simulation's runtime, an operating system and a bare-metal
// program use the same code; docs/programmers_guide.md shows all three.
//
//   weft_device device;
//   static uint64_t ring_memory[16 * WEFT_JOB_ENTRY_BYTES / 8];
//   weft_open(&device, &platform);                       // is it a Weft, of this command set?
//   weft_check_config(&device, PROGRAM_CONFIG_HASH);     // does the program fit it?
//   weft_start_ring(&device, ring_memory, RING_ADDRESS, 4, WAIT);
//   weft_set_region(&device, 0, PROGRAM_ADDRESS);        // ... and the other regions
//   uint32_t job;
//   weft_submit(&device, &(weft_job){.config_hash = ..., .stream_commands = ...}, &job);
//   if (weft_wait(&device, job, WAIT) == WEFT_E_JOB) report(&device.last_error);
//
// Addresses are those the device uses on its AXI port. Ticks are those of the platform's clock.
// Not thread safe: one caller at a time for one device. Every function that returns weft_result
// returns WEFT_OK or the reason why not, and leaves the device usable.
#ifndef WEFT_DRIVER_H_
#define WEFT_DRIVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/hw/weft_hw.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weft_result {
  WEFT_OK = 0,
  WEFT_E_ARGUMENT,         // an argument is out of range or not aligned
  WEFT_E_NOT_WEFT,         // the ID register does not read as a Weft
  WEFT_E_COMMAND_VERSION,  // the device has another command set than this driver was built for
  WEFT_E_CONFIG,           // the program was compiled for another configuration
  WEFT_E_RING_FULL,        // as many jobs as the ring holds have not ended yet
  WEFT_E_PENDING,          // the job has not ended yet
  WEFT_E_TIMEOUT,          // the device did not get there in the time given
  WEFT_E_JOB,              // the job ended in an error: weft_device.last_error says which
  WEFT_E_HALTED,           // an earlier job ended in an error: weft_resume goes on with this one
  WEFT_E_LOCKED,           // the memory window is locked until the hard reset
  WEFT_E_BUSY              // jobs are running or queued: memory windows cannot be changed
} weft_result;

// What the driver needs from its surroundings. `context` is handed back in every call.
typedef struct weft_platform {
  void* context;
  uint32_t (*read_register)(void* context, uint32_t offset);
  void (*write_register)(void* context, uint32_t offset, uint32_t value);
  // Makes `bytes` bytes the CPU wrote at `memory` visible to the device at `address`: a cache clean
  // or a barrier; a copy where the two do not share memory. Ordered before later register writes.
  void (*to_device)(void* context, uint64_t address, const void* memory, size_t bytes);
  // The other way: what the device wrote at `address` can be read at `memory` afterwards.
  void (*from_device)(void* context, uint64_t address, void* memory, size_t bytes);
  // Returns true as soon as the interrupt line is high (or for any other reason), false when
  // `ticks` have passed. Without interrupts: poll, or return true at once.
  bool (*wait_interrupt)(void* context, uint64_t ticks);
  // A clock that does not go backwards; one tick is whatever `ticks` arguments count.
  uint64_t (*now)(void* context);
} weft_platform;

// What the device says it is.
typedef struct weft_identity {
  uint32_t version;  // major << 16 | minor
  uint32_t config_hash;
  uint32_t command_version;
  uint32_t features;
  uint32_t k, n, post_lanes, axi_bytes;
  uint32_t scratchpad_bytes;
  uint32_t weight_bytes;
} weft_identity;

// Why a job failed.
typedef struct weft_job_error {
  uint32_t code;     // WEFT_ERROR_...; weft_error_text puts it in words
  uint32_t job;      // number of the failed job, as weft_submit gave it
  uint32_t command;  // index in the stream of the command that failed
  uint64_t address;  // of the failed memory access
} weft_job_error;

typedef struct weft_job {
  uint32_t config_hash;      // CONFIG_HASH the program was compiled for
  uint32_t stream_region;    // memory region that holds the command stream
  uint32_t stream_offset;    // of the stream in that region; a multiple of 64
  uint32_t stream_commands;  // commands in the stream, END included
} weft_job;

// One device. The caller owns the memory; the fields are for reading only.
typedef struct weft_device {
  weft_platform platform;
  weft_identity identity;
  uint8_t* ring;              // the CPU's view of the ring
  uint64_t ring_address;      // the device's
  uint32_t ring_entries;      // 0: not started
  uint32_t submitted;         // jobs submitted since the ring was started
  bool has_error;             // last_error holds an error
  weft_job_error last_error;  // of the job that failed last
} weft_device;

// Reads the identity. Touches nothing else, so it is safe on a device in use.
weft_result weft_open(weft_device* device, const weft_platform* platform);

// WEFT_OK if a program with this hash runs on the device.
weft_result weft_check_config(const weft_device* device, uint32_t config_hash);

// Resets the device, gives it a ring of 2^log2_entries (at most 2^12) jobs and switches interrupts
// on. `memory` holds that many times WEFT_JOB_ENTRY_BYTES, stays the caller's and must outlive the
// use of the ring; the device sees it at `address`, a multiple of 64.
weft_result weft_start_ring(weft_device* device, void* memory, uint64_t address,
                            uint32_t log2_entries, uint64_t ticks);

// Base address of a memory region (0..7), a multiple of 64. A job takes the bases when it starts:
// change them only while no submitted job waits to start.
weft_result weft_set_region(weft_device* device, uint32_t region, uint64_t base);

// Memory window `window` (0..7): the device may touch bytes first_address to last_address, both
// included, as `permissions` says (WEFT_WINDOW_CONTROL_READ, _WRITE or both). first_address and
// last_address + 1 are multiples of 256; when these two are equal the window holds nothing. With
// `permissions` 0 the window is switched off. As soon as one window is on, the device touches only
// what windows permit: the job ring, which it reads, needs one too. `lock`: neither this function
// nor anything but the hard reset changes the window any more. WEFT_E_ARGUMENT, WEFT_E_LOCKED or
// WEFT_E_BUSY, and nothing has changed, when it cannot be done. weft_reset keeps windows.
weft_result weft_set_window(weft_device* device, uint32_t window, uint64_t first_address,
                            uint64_t last_address, uint32_t permissions, bool lock);

// Cycles without progress after which the device ends a job with WEFT_ERROR_TIMEOUT; 0: never.
void weft_set_watchdog(weft_device* device, uint32_t cycles);

// Queues a job and starts it when the ones before it have ended. Its number, counted from 0 since
// the ring was started, goes to *number.
weft_result weft_submit(weft_device* device, const weft_job* job, uint32_t* number);

// Has the job ended? WEFT_OK (completed), WEFT_E_PENDING, WEFT_E_JOB or WEFT_E_HALTED. Only the
// error of the job that failed last is remembered.
weft_result weft_poll(weft_device* device, uint32_t number);

// Waits for the job's end: as weft_poll, or WEFT_E_TIMEOUT when `ticks` have passed. The job then
// still runs: wait again, or weft_abort.
weft_result weft_wait(weft_device* device, uint32_t number, uint64_t ticks);

// Ends the running job with WEFT_ERROR_ABORTED and waits until the device has stopped. A job that
// completes first is left completed.
weft_result weft_abort(weft_device* device, uint64_t ticks);

// After an error: goes on with the next job in the ring, if any.
weft_result weft_resume(weft_device* device, uint64_t ticks);

// Soft reset: stops the running job and forgets all jobs, errors and counters. The ring and the
// region bases stay; the next job is number 0.
weft_result weft_reset(weft_device* device, uint64_t ticks);

// Performance counter `index` (WEFT_COUNTER_...) of the running or last job.
uint32_t weft_read_counter(const weft_device* device, uint32_t index);

// Short texts without a line end: for a result of this driver, and for a WEFT_ERROR_... code.
const char* weft_result_text(weft_result result);
const char* weft_error_text(uint32_t code);

#ifdef __cplusplus
}
#endif

#endif  // WEFT_DRIVER_H_
