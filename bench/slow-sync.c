/*
 * LD_PRELOAD shim: every call that makes data durable takes longer, and is counted. A disk whose syncs are slow, for
 * a server that has been written by somebody else. The counter lies in a file that all processes of the server map.
 *
 *   SLOW_SYNC_COUNTER  a file of at least eight octets, writable for every user of the server
 *   SLOW_SYNC_US       microseconds by which each call is longer
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t *counter;
static long delay_us;

__attribute__((constructor)) static void open_counter(void) {
  const char *path = getenv("SLOW_SYNC_COUNTER");
  const char *delay = getenv("SLOW_SYNC_US");
  delay_us = delay == NULL ? 0 : atol(delay);
  if (path == NULL) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *map = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map != MAP_FAILED) counter = map;
}

/* Without a counter nothing is slowed either: the harness sees a count of 0 and calls the run worthless. */
static void slow_down(void) {
  if (counter == NULL) return;
  ++*counter;
  struct timespec rest = {delay_us / 1000000, delay_us % 1000000 * 1000};
  while (nanosleep(&rest, &rest) < 0 && errno == EINTR) continue;
}

#define SLOWED(name, parameters, arguments)                           \
  int name parameters {                                               \
    static int(*real) parameters;                                     \
    if (real == NULL) real = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
    slow_down();                                                      \
    return real arguments;                                            \
  }

SLOWED(fsync, (int file), (file))
SLOWED(fdatasync, (int file), (file))
SLOWED(syncfs, (int file), (file))
SLOWED(sync_file_range, (int file, off64_t offset, off64_t length, unsigned int flags), (file, offset, length, flags))
SLOWED(msync, (void *address, size_t length, int flags), (address, length, flags))
