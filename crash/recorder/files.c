/* What changes files: done and recorded under the mutex. Syncs are not, as others go on meanwhile. */
#include "recorder.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static int open_recorded(int directory, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (!below(directory, path, full)) return REAL(openat)(directory, path, flags, mode);
  if ((flags & O_TMPFILE) == O_TMPFILE || (flags & O_DSYNC)) give_up("O_TMPFILE or O_SYNC", full);
  pthread_mutex_lock(&order);
  int existed = inode_of(full) != 0;
  int fd = REAL(openat)(directory, path, flags, mode);
  int saved = errno;
  struct stat stats;
  if (fd >= 0 && fstat(fd, &stats) == 0) {
    if (!existed && (flags & O_CREAT)) append((struct record){.kind = CREATE, .object = stats.st_ino, .path = full});
    else if (flags & O_TRUNC) append((struct record){.kind = TRUNCATE, .object = stats.st_ino});
  }
  pthread_mutex_unlock(&order);
  errno = saved;
  return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

void append_write(uint64_t inode, int fd, off_t offset, const struct iovec *pieces, int count, ssize_t written) {
  int saved = errno;
  if (written > 0) {
    off_t start = offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR) - written;
    struct iovec whole[count > 0 ? count : 1];
    int used = cut(pieces, count, (size_t)written, whole, count);
    append((struct record){.kind = WRITE, .object = inode, .a = start, .payload = whole, .pieces = used});
  }
  errno = saved;
}

ssize_t pwrite(int fd, const void *octets, size_t length, off_t offset) {
  struct iovec piece = {(void *)octets, length};
  RECORD_WRITE(fd, offset, &piece, 1, REAL(pwrite)(fd, octets, length, offset));
  return REAL(pwrite)(fd, octets, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
  RECORD_WRITE(fd, offset, pieces, count, REAL(pwritev)(fd, pieces, count, offset));
  return REAL(pwritev)(fd, pieces, count, offset);
}

static int record_truncation(uint64_t inode, off_t length, int result) {
  int saved = errno;
  if (result == 0) append((struct record){.kind = TRUNCATE, .object = inode, .a = length});
  pthread_mutex_unlock(&order);
  errno = saved;
  return result;
}

int ftruncate(int fd, off_t length) {
  uint64_t inode = watched(fd);
  if (inode == 0) return REAL(ftruncate)(fd, length);
  pthread_mutex_lock(&order);
  return record_truncation(inode, length, REAL(ftruncate)(fd, length));
}

int truncate(const char *path, off_t length) {
  char full[PATH_MAX];
  if (!below(AT_FDCWD, path, full)) return REAL(truncate)(path, length);
  pthread_mutex_lock(&order);
  return record_truncation(inode_of(full), length, REAL(truncate)(path, length));
}

int mkdirat(int directory, const char *path, mode_t mode) {
  char full[PATH_MAX];
  if (!below(directory, path, full)) return REAL(mkdirat)(directory, path, mode);
  pthread_mutex_lock(&order);
  int result = REAL(mkdirat)(directory, path, mode);
  int saved = errno;
  if (result == 0) append((struct record){.kind = MKDIR, .object = inode_of(full), .path = full});
  pthread_mutex_unlock(&order);
  errno = saved;
  return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int unlinkat(int directory, const char *path, int flags) {
  char full[PATH_MAX];
  if (!below(directory, path, full)) return REAL(unlinkat)(directory, path, flags);
  pthread_mutex_lock(&order);
  uint64_t inode = inode_of(full); /* 0: a socket, which is no file of ours */
  int result = REAL(unlinkat)(directory, path, flags);
  int saved = errno;
  if (result == 0 && inode != 0)
    append((struct record){.kind = flags & AT_REMOVEDIR ? RMDIR : UNLINK, .object = inode, .path = full});
  pthread_mutex_unlock(&order);
  errno = saved;
  return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

/* A pair of paths of which both must be below the root, or none. */
static int both_below(int first, const char *from, char *full_from, int second, const char *to, char *full_to) {
  int is_from = below(first, from, full_from), is_to = below(second, to, full_to);
  if (is_from != is_to) give_up("a name that leaves the recorded directory or comes into it", is_from ? full_from : full_to);
  return is_from;
}

static int record_pair(enum kind kind, uint64_t inode, const char *from, const char *to, int result) {
  int saved = errno;
  if (result == 0) append((struct record){.kind = kind, .object = inode, .path = from, .second = to});
  pthread_mutex_unlock(&order);
  errno = saved;
  return result;
}

int renameat2(int first, const char *from, int second, const char *to, unsigned flags) {
  char full_from[PATH_MAX], full_to[PATH_MAX];
  if (!both_below(first, from, full_from, second, to, full_to)) return REAL(renameat2)(first, from, second, to, flags);
  if (flags & RENAME_EXCHANGE) give_up("an exchange of names", full_from);
  pthread_mutex_lock(&order);
  uint64_t inode = inode_of(full_from);
  return record_pair(RENAME, inode, full_from, full_to, REAL(renameat2)(first, from, second, to, flags));
}

int renameat(int first, const char *from, int second, const char *to) { return renameat2(first, from, second, to, 0); }

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int first, const char *from, int second, const char *to, int flags) {
  char full_from[PATH_MAX], full_to[PATH_MAX];
  if (!both_below(first, from, full_from, second, to, full_to)) return REAL(linkat)(first, from, second, to, flags);
  pthread_mutex_lock(&order);
  uint64_t inode = inode_of(full_from);
  return record_pair(LINK, inode, full_from, full_to, REAL(linkat)(first, from, second, to, flags));
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* Some syncs take much longer than others: whoever relies on one without waiting for it gets ahead of it then. */
static void dawdle(void) {
  static atomic_uint count;
  unsigned lot = (atomic_fetch_add(&count, 1) * 2654435761u) >> 28;
  if (sync_delay() > 0) usleep(lot == 0 ? 40 * sync_delay() : sync_delay());
}

static int sync_recorded(int fd, int (*sync_call)(int)) {
  uint64_t inode = watched(fd);
  if (inode == 0) return sync_call(fd);
  die_if_ordered(fd);
  append_alone((struct record){.kind = SYNC_BEGUN, .object = inode});
  int result = sync_call(fd);
  int saved = errno;
  dawdle();
  if (result == 0) append_alone((struct record){.kind = SYNC_DONE, .object = inode});
  errno = saved;
  return result;
}

int fsync(int fd) { return sync_recorded(fd, REAL(fsync)); }

int fdatasync(int fd) { return sync_recorded(fd, REAL(fdatasync)); }

ALSO(open64, open);
ALSO(openat64, openat);
ALSO(creat64, creat);
ALSO(pwrite64, pwrite);
ALSO(pwritev64, pwritev);
ALSO(ftruncate64, ftruncate);
ALSO(truncate64, truncate);
