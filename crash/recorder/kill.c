/*
 * Kills the process at a chosen sync, before it begins: what was written for it is there, and not durable. No signal from
 * outside would hit that moment, nor leave the log whole: here, nobody is between a change and its record.
 *
 * POSTHORN_RECORD_KILL names a file that need not be there: a line `TURN PART`, by which the process dies at the TURN-th sync,
 * since the file came, of a file or directory of whose path PART is a part.
 */
#include "recorder.h"

#include <signal.h>
#include <stdio.h>

/* False where there are none, or they are not yet written to their end. */
static int read_orders(unsigned *turn, char *part) {
  const char *name = getenv("POSTHORN_RECORD_KILL");
  if (name == NULL || access(name, R_OK) != 0) return 0;
  FILE *file = fopen(name, "re");
  if (file == NULL) return 0;
  char end = 0;
  int fields = fscanf(file, "%u %255[^\n]%c", turn, part, &end);
  fclose(file);
  return fields == 3;
}

void die_if_ordered(int fd) {
  static unsigned turns;
  unsigned turn;
  char part[256], link[40], path[PATH_MAX];
  if (!read_orders(&turn, part)) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = '\0';
  if (strstr(path, part) == NULL) return;
  pthread_mutex_lock(&order);
  if (++turns == turn) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  pthread_mutex_unlock(&order);
}
