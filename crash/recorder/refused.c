/* What has no place in the model of a disk must not happen unseen to a file below the root. */
#include "recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#define REFUSE(fd, what) \
  do {                   \
    if (watched(fd)) give_up(what, "on a file below the root"); \
  } while (0)

int fallocate(int fd, int mode, off_t offset, off_t length) {
  REFUSE(fd, "fallocate()");
  return REAL(fallocate)(fd, mode, offset, length);
}

int posix_fallocate(int fd, off_t offset, off_t length) {
  REFUSE(fd, "posix_fallocate()");
  return REAL(posix_fallocate)(fd, offset, length);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
  REFUSE(fd, "sync_file_range()");
  return REAL(sync_file_range)(fd, offset, length, flags);
}

int syncfs(int fd) {
  REFUSE(fd, "syncfs()");
  return REAL(syncfs)(fd);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags) {
  REFUSE(to, "copy_file_range()");
  return REAL(copy_file_range)(from, from_offset, to, to_offset, length, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t length) {
  REFUSE(to, "sendfile()");
  return REAL(sendfile)(to, from, offset, length);
}

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags) {
  REFUSE(to, "splice()");
  return REAL(splice)(from, from_offset, to, to_offset, length, flags);
}

ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t offset, int flags) {
  REFUSE(fd, "pwritev2()");
  return REAL(pwritev2)(fd, pieces, count, offset, flags);
}

int remove(const char *path) {
  char full[PATH_MAX];
  if (below(AT_FDCWD, path, full)) give_up("remove()", full);
  return REAL(remove)(path);
}

int symlinkat(const char *target, int directory, const char *path) {
  char full[PATH_MAX];
  if (below(directory, path, full)) give_up("a symbolic link", full);
  return REAL(symlinkat)(target, directory, path);
}

int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) REFUSE(fd, "a shared mapping");
  return REAL(mmap)(address, length, protection, flags, fd, offset);
}

/* libuv would go on without io_uring; through it, files would change behind our back. */
long syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long a = va_arg(arguments, long), b = va_arg(arguments, long), c = va_arg(arguments, long);
  long d = va_arg(arguments, long), e = va_arg(arguments, long), f = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_io_uring_setup && is_recorded()) {
    errno = ENOSYS;
    return -1;
  }
  if (number == SYS_write || number == SYS_pwrite64 || number == SYS_fsync || number == SYS_ftruncate ||
      number == SYS_fdatasync || number == SYS_fallocate)
    REFUSE((int)a, "a bare system call");
  if (number == SYS_copy_file_range) REFUSE((int)c, "copy_file_range()");
  return REAL(syscall)(number, a, b, c, d, e, f);
}

ALSO(pwritev64v2, pwritev2);
ALSO(fallocate64, fallocate);
ALSO(posix_fallocate64, posix_fallocate);
ALSO(sendfile64, sendfile);
ALSO(mmap64, mmap);
