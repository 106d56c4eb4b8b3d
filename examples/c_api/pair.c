/* SPDX-License-Identifier: MIT */
/* Two ends in one program, or one page, that meet in a room: one sends a text and bytes, the other sends them back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wdc/c_api.h>

enum { kBytes = 100 * 1000 };

struct End {
  const char* name;
  wdc_connection* connection;
  size_t received;
};

static struct End caller = {"caller", NULL, 0};
static struct End echo = {"echo", NULL, 0};
static unsigned char bytes[kBytes];
static int ends_closed = 0;

static void fail(const char* name, const char* what) {
  fprintf(stderr, "%s: %s\n", name, what);
  exit(1);
}

static void expect_taken(struct End* end, wdc_loop* loop, int code) {
  if (code != wdc_ok) fail(end->name, wdc_loop_error(loop));
}

static wdc_loop* loop;

static void opened(wdc_connection* connection, void* user) {
  struct End* end = user;
  if (end != &caller) return;
  expect_taken(end, loop, wdc_send_text(connection, "hello", strlen("hello")));
  expect_taken(end, loop, wdc_send_bytes(connection, bytes, sizeof bytes));
}

static void message(wdc_connection* connection, const void* data, size_t size, int is_text, void* user) {
  struct End* end = user;
  end->received += 1;
  if (end == &echo) {
    expect_taken(end, loop, is_text ? wdc_send_text(connection, data, size) : wdc_send_bytes(connection, data, size));
    return;
  }
  const int is_right = end->received == 1 ? is_text && size == strlen("hello") && memcmp(data, "hello", size) == 0
                                          : !is_text && size == sizeof bytes && memcmp(data, bytes, size) == 0;
  if (!is_right) fail(end->name, "another message came back");
  if (end->received == 2) wdc_close(connection);
}

static void closed(wdc_connection* connection, int code, const char* text, void* user) {
  struct End* end = user;
  if (code != wdc_ok) fail(end->name, text);
  printf("%s: %zu messages, %s\n", end->name, end->received, "closed");
  wdc_connection_free(connection);
  if (++ends_closed < 2) return;
  printf("version %s\n", wdc_version());
  wdc_loop_stop(loop);
}

int main(void) {
  static const wdc_callbacks callbacks = {.opened = opened, .message = message, .closed = closed};
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (unsigned char)(i * 7);
  loop = wdc_loop_new();
  if (loop == NULL) fail("main", "out of memory");
  expect_taken(&caller, loop, wdc_connect(loop, "broadcast:", "pair", NULL, &callbacks, &caller, &caller.connection));
  expect_taken(&echo, loop, wdc_connect(loop, "broadcast:", "pair", NULL, &callbacks, &echo, &echo.connection));
  wdc_loop_run(loop); /* in a page it returns at once, and the page's own loop goes on */
#ifndef __wasm__
  wdc_loop_free(loop);
#endif
  return 0;
}
