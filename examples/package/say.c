/* SPDX-License-Identifier: MIT */
/* say URL ROOM TEXT: meets the other member of a room, sends it a text, and prints the first that comes back. */
#include <stdio.h>
#include <string.h>

#include <wdc/c_api.h>

static wdc_loop* loop;
static int status = 1;

static void opened(wdc_connection* connection, void* text) {
  if (wdc_send_text(connection, text, strlen(text)) != wdc_ok) fprintf(stderr, "say: %s\n", wdc_loop_error(loop));
}

static void message(wdc_connection* connection, const void* data, size_t size, int is_text, void* user) {
  (void)user;
  if (is_text) printf("%.*s\n", (int)size, (const char*)data);
  wdc_close(connection);
}

static void closed(wdc_connection* connection, int code, const char* text, void* user) {
  (void)connection;
  (void)user;
  if (code != wdc_ok) fprintf(stderr, "say: %s\n", text);
  status = code == wdc_ok ? 0 : 1;
  wdc_loop_stop(loop);
}

int main(int argc, char** argv) {
  static const wdc_callbacks callbacks = {.opened = opened, .message = message, .closed = closed};
  static const wdc_connect_options options = {.timeout_ms = 30000};
  if (argc != 4) {
    fprintf(stderr, "usage: say URL ROOM TEXT\n");
    return 2;
  }
  loop = wdc_loop_new();
  if (loop == NULL) return 1;
  wdc_connection* connection = NULL;
  if (wdc_connect(loop, argv[1], argv[2], &options, &callbacks, argv[3], &connection) == wdc_ok)
    wdc_loop_run(loop);
  else
    fprintf(stderr, "say: %s\n", wdc_loop_error(loop));
  wdc_connection_free(connection);
  wdc_loop_free(loop);
  return status;
}
