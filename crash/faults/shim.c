/*
 * An LD_PRELOAD shim that makes a disk fail: while it is armed, writes or syncs of chosen files return EIO and do
 * nothing. Which, stands in a file that the test maps too, so that it can be changed while the program runs.
 *
 * POSTHORN_FAULT_CONTROL names that file; its layout is `struct control` (see shim.ts).
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { NOTHING, WRITE, SYNC };

struct control {
  _Atomic uint32_t failing; /* enum operation */
  _Atomic uint32_t failed;  /* calls that were made to fail */
  char path[504];           /* part of the path of the files; with a final '$' its end */
};

static struct control *control;

__attribute__((constructor)) static void map_control(void) {
  const char *name = getenv("POSTHORN_FAULT_CONTROL");
  int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

static int matches(const char *path, const char *pattern) {
  size_t length = strlen(pattern);
  if (length == 0 || pattern[length - 1] != '$') return strstr(path, pattern) != NULL;
  size_t wanted = length - 1, whole = strlen(path);
  return whole >= wanted && strncmp(path + whole - wanted, pattern, wanted) == 0;
}

/* True where this call is to fail; errno is set then. */
static int fails(enum operation operation, int fd) {
  if (!control || atomic_load(&control->failing) != operation) return 0;
  int kept = errno;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length < 0) return 0;
  path[length] = '\0';
  if (!matches(path, control->path)) return 0;
  atomic_fetch_add(&control->failed, 1);
  errno = EIO;
  return 1;
}

/* The C library's own function of that name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
  return fails(WRITE, fd) ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return fails(WRITE, fd) ? -1 : REAL(pwrite)(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  return fails(WRITE, fd) ? -1 : REAL(pwrite64)(fd, bytes, count, offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  return fails(WRITE, fd) ? -1 : REAL(writev)(fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
  return fails(WRITE, fd) ? -1 : REAL(pwritev)(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) {
  return fails(WRITE, fd) ? -1 : REAL(pwritev64)(fd, pieces, count, offset);
}

int fsync(int fd) { return fails(SYNC, fd) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return fails(SYNC, fd) ? -1 : REAL(fdatasync)(fd); }
