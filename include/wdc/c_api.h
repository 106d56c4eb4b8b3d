/* SPDX-License-Identifier: MIT */
/* The library for languages that speak C: meeting another member of a room, and one data channel with it. C11 or later.

   Threads: a loop, and everything that was made on it, belongs to the thread that made the loop; wdc_loop_post() alone
   may be called from others. Callbacks are called on that thread from wdc_loop_run() or wdc_loop_poll() (in the browser
   from the browser's own loop), never from inside another call of this library, and may call anything here.

   Ownership: what a function named _new, _receive or wdc_connect gives is the caller's, who gives it to the function
   named _free, which takes NULL too. Text and bytes that are passed in are read during the call only.

   Errors: a function that can fail returns 0 or one of the codes, e.g. wdc_message_too_large; docs/errors.md has them.
   wdc_loop_error() has the last one's sentence. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(readability-identifier-naming): a C library's names */

/* wdc_ok, wdc_cancelled, wdc_timed_out and so on: stable numbers. */
enum wdc_code {
#define WDC_ERROR(number, name, sentence) wdc_##name = number,
#include "wdc/error_codes.inc"
#undef WDC_ERROR
  wdc_ok = 0
};

typedef struct wdc_loop wdc_loop;
typedef struct wdc_connection wdc_connection;
typedef struct wdc_message wdc_message;

/* The library's version, e.g. "0.1.0". */
const char* wdc_version(void);
/* A code's stable name, e.g. "message_too_large"; "unknown" for other numbers. */
const char* wdc_code_name(int code);

/* A loop of this thread's; NULL if memory is exhausted. In the browser the browser's own loop runs it. */
wdc_loop* wdc_loop_new(void);
/* REQUIRES: its connections are freed, and it is not running. */
void wdc_loop_free(wdc_loop* loop);
/* Runs until wdc_loop_stop(), or until nothing is left to wait for. In the browser it returns at once. */
void wdc_loop_run(wdc_loop* loop);
/* Runs what is ready without waiting, and returns how many things ran. */
size_t wdc_loop_poll(wdc_loop* loop);
/* Makes wdc_loop_run() return. */
void wdc_loop_stop(wdc_loop* loop);
/* Calls `function` on the loop's thread, in the order of posting. From any thread. wdc_post_queue_full above 65,536
   that wait; this one leaves wdc_loop_error() as it is. */
int wdc_loop_post(wdc_loop* loop, void (*function)(void* user), void* user);
/* The sentence of the last call that failed on this loop, "" before one. Valid until the next call that fails. */
const char* wdc_loop_error(const wdc_loop* loop);

/* What happens to a connection; any of them may be NULL. A connection that was freed is told nothing any more. */
typedef struct wdc_callbacks {
  /* The channel is open. */
  void (*opened)(wdc_connection* connection, void* user);
  /* A message. `data` is valid during the call; text is UTF-8, without a NUL at its end. NULL: wdc_receive() is used.
   */
  void (*message)(wdc_connection* connection, const void* data, size_t size, int is_text, void* user);
  /* After wdc_send() gave wdc_would_block: it is worth another call. */
  void (*writable)(wdc_connection* connection, void* user);
  /* The end, once and last: wdc_ok after a clean close by either side, otherwise what broke, or why the two never met.
     `text` is its sentence, valid during the call. */
  void (*closed)(wdc_connection* connection, int code, const char* text, void* user);
} wdc_callbacks;

/* How to meet; zeros are the defaults. Both members have to say the same of everything but the time. */
typedef struct wdc_connect_options {
  const char* label;         /* of the channel; NULL: "data" */
  const char* protocol;      /* of the channel; NULL: "". "wdc.framed.v1": docs/framed.md */
  int unordered;             /* 1: messages may overtake each other */
  int limits_retransmits;    /* 1: a message is given up after max_retransmits */
  uint16_t max_retransmits;  /* 0: it is sent once */
  uint32_t max_life_time_ms; /* not 0: a message is given up after this long, at most 65,535 */
  uint32_t timeout_ms;       /* for the other member to come and the connection; 0: without limit */
} wdc_connect_options;

/* Meets the other member of `room` (1 to 64 of [A-Za-z0-9_-]) at `url` ("ws://host:port/ws", "wss://...", or
   "broadcast:" for ends in one program or one browser), and gives a connection that is not open yet. `options`,
   `callbacks`: NULL or copied; `user` is theirs. What fails later is told by `closed`. */
int wdc_connect(wdc_loop* loop, const char* url, const char* room, const wdc_connect_options* options,
                const wdc_callbacks* callbacks, void* user, wdc_connection** connection);
/* Gives it up: at once and without a word to the callbacks, from anywhere. What was sent and has not arrived is lost
   unless `closed` came before. */
void wdc_connection_free(wdc_connection* connection);

/* Takes one message; text has to be UTF-8. wdc_would_block: nothing was taken, because the send buffer is full;
   `writable` will say when to try again. Others: wdc_not_open, wdc_closed, wdc_message_too_large,
   wdc_invalid_argument. */
int wdc_send_bytes(wdc_connection* connection, const void* data, size_t size);
int wdc_send_text(wdc_connection* connection, const char* text, size_t size);
/* The next message, for those without the callback `message`: wdc_would_block while there is none, wdc_not_open before
   `opened`, wdc_closed after the last one; what arrived can be read after `closed` too. A connection that nobody reads
   from fails with wdc_receive_overflow after 16 MiB or 65,536 messages. */
int wdc_receive(wdc_connection* connection, wdc_message** message);
/* The message's bytes, valid until it is freed; may be NULL if there are none. */
const void* wdc_message_data(const wdc_message* message);
size_t wdc_message_size(const wdc_message* message);
int wdc_message_is_text(const wdc_message* message);
void wdc_message_free(wdc_message* message);

/* Closes: what was sent is delivered, then `closed` is called, after at most 30 s. Before `opened`: gives up meeting,
   with wdc_cancelled. A second call does nothing. */
void wdc_close(wdc_connection* connection);
/* Bytes that were taken and not handed to the network yet. */
uint64_t wdc_buffered_amount(const wdc_connection* connection);
/* Bytes the peer takes in one message; 0 before `opened`. */
uint64_t wdc_max_message_size(const wdc_connection* connection);

/* NOLINTEND(readability-identifier-naming) */

#ifdef __cplusplus
}
#endif
