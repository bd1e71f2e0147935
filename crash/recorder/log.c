/*
 * Records what a process does to the files below one directory, and what it says and hears on stream sockets and on its
 * standard output and error, in one total order: a library for LD_PRELOAD. What cannot be recorded ends the process.
 *
 * POSTHORN_RECORD_ROOT      the directory, absolute and without symbolic links
 * POSTHORN_RECORD_LOG       the file that records are appended to; read by log.ts
 * POSTHORN_RECORD_SYNC_US   every sync takes so many microseconds longer, and some take forty times that, as on a disk:
 *                           whoever relies on another's sync without waiting for it gets ahead of it then
 * POSTHORN_RECORD_KILL      see kill.c
 *
 * Order is what a crash test stands on, so one mutex guards it. A change of a file is made and recorded under the mutex:
 * it cannot be in the log before or after its turn. A sync is recorded when it begins (only what came before is sure to be
 * meant) and again when it has succeeded. What is said is recorded before it is said: whoever hears it may count on what
 * is in the log before it. What is heard is recorded before the process can act on it.
 */
#include "recorder.h"

#include <stdio.h>

/* What stands in the log, in this machine's byte order, followed by the two paths and the payload. */
struct header {
  uint32_t kind, pid, tid, path_length, second_length, payload_length;
  uint64_t object; /* inode of the file, the directory or the socket */
  int64_t a, b;    /* offset or length; ports here and there; number of the descriptor */
};

pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int log_fd = -1;

void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

_Noreturn void give_up(const char *what, const char *about) {
  char text[PATH_MAX + 200];
  int length = snprintf(text, sizeof text, "recorder: %s cannot be recorded (%s)\n", what, about);
  if (length > 0) REAL(write)(STDERR_FILENO, text, (size_t)length);
  abort();
}

/* Opened late, and as a high number, so that the process sees the descriptors that it would see without us. */
static int open_log(void) {
  if (log_fd >= 0) return log_fd;
  int low = REAL(open)(getenv("POSTHORN_RECORD_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (low < 0) give_up("anything", "its log cannot be opened");
  log_fd = fcntl(low, F_DUPFD_CLOEXEC, 400);
  if (log_fd < 0) give_up("anything", "too few descriptors");
  REAL(close)(low);
  return log_fd;
}

int cut(const struct iovec *from, int count, size_t most, struct iovec *to, int room) {
  int used = 0;
  for (int i = 0; i < count && most > 0; i++) {
    if (from[i].iov_len == 0) continue;
    if (used == room) break;
    to[used] = from[i];
    if (to[used].iov_len > most) to[used].iov_len = most;
    most -= to[used].iov_len;
    used++;
  }
  return used;
}

static size_t length_of(const struct iovec *pieces, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += pieces[i].iov_len;
  return sum;
}

static void append_all(const void *octets, size_t length) {
  const char *rest = octets;
  while (length > 0) {
    ssize_t written = REAL(write)(open_log(), rest, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) give_up("anything", "its log cannot be written");
    rest += written;
    length -= (size_t)written;
  }
}

/* One write, so that a process that is killed leaves whole records. */
void append(struct record record) {
  const char *path = record.path == NULL ? "" : record.path, *second = record.second == NULL ? "" : record.second;
  size_t path_length = strlen(path), second_length = strlen(second);
  size_t payload_length = length_of(record.payload, record.pieces);
  struct header header = {record.kind, (uint32_t)getpid(), (uint32_t)gettid(), (uint32_t)path_length,
                          (uint32_t)second_length, (uint32_t)payload_length, record.object, record.a, record.b};
  size_t total = sizeof header + path_length + second_length + payload_length;
  char *whole = malloc(total);
  if (whole == NULL) give_up("anything", "no memory");
  char *end = mempcpy(whole, &header, sizeof header);
  end = mempcpy(end, path, path_length);
  end = mempcpy(end, second, second_length);
  for (int i = 0; i < record.pieces; i++) end = mempcpy(end, record.payload[i].iov_base, record.payload[i].iov_len);
  append_all(whole, total);
  free(whole);
}

void append_alone(struct record record) {
  int saved = errno;
  pthread_mutex_lock(&order);
  append(record);
  pthread_mutex_unlock(&order);
  errno = saved;
}
