/*
 * Records what a process does to the files below one directory, and what it says and hears on stream sockets and on its
 * standard output and error, in one total order: a library for LD_PRELOAD. What cannot be recorded ends the process.
 *
 * POSTHORN_RECORD_ROOT      the directory, absolute and without symbolic links
 * POSTHORN_RECORD_LOG       the file that records are appended to; read by log.ts
 * POSTHORN_RECORD_SYNC_US   every sync takes so many microseconds longer, as on a disk
 *
 * Order is what a crash test stands on, so one mutex guards it. A change of a file is made and recorded under the mutex:
 * it cannot be in the log before or after its turn. A sync is recorded when it begins (only what came before is sure to be
 * meant) and again when it has succeeded. What is said is recorded before it is said: whoever hears it may count on what
 * is in the log before it. What is heard is recorded before the process can act on it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum kind { CREATE = 1, MKDIR, WRITE, TRUNCATE, RENAME, LINK, UNLINK, RMDIR, SYNC_BEGUN, SYNC_DONE, SENT, HEARD, SAID };

/* What stands in the log, in this machine's byte order, followed by the two paths and the payload. */
struct header {
  uint32_t kind, pid, tid, path_length, second_length, payload_length;
  uint64_t object; /* inode of the file, the directory or the socket */
  int64_t a, b;    /* offset or length; ports here and there; number of the descriptor */
};

/* Of a message on a socket so many octets are enough to know it again; the log that the process writes is kept whole. */
enum { KEPT_OF_SOCKET = 8192, KEPT_OF_OUTPUT = 1 << 20, PIECES = 8 };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static const char *log_path;
static int log_fd = -1;
static useconds_t sync_us;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

static void give_up(const char *what, const char *about) {
  char text[PATH_MAX + 200];
  int length = snprintf(text, sizeof text, "recorder: %s cannot be recorded (%s)\n", what, about);
  if (length > 0) REAL(write)(STDERR_FILENO, text, (size_t)length);
  abort();
}

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("POSTHORN_RECORD_ROOT");
  const char *delay = getenv("POSTHORN_RECORD_SYNC_US");
  log_path = getenv("POSTHORN_RECORD_LOG");
  if (directory == NULL || log_path == NULL) return;
  root_length = strlen(directory);
  if (root_length == 0 || root_length >= sizeof root) return;
  memcpy(root, directory, root_length + 1);
  if (delay != NULL) sync_us = (useconds_t)atoi(delay);
}

/* The log */

/* Opened late, and as a high number, so that the process sees the descriptors that it would see without us. */
static int open_log(void) {
  if (log_fd >= 0) return log_fd;
  int low = REAL(open)(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (low < 0) give_up("anything", log_path);
  log_fd = fcntl(low, F_DUPFD_CLOEXEC, 400);
  if (log_fd < 0) give_up("anything", "too few descriptors");
  REAL(close)(low);
  return log_fd;
}

/* At most `most` octets of a vector, as few further pieces. */
static int cut(const struct iovec *from, int count, size_t most, struct iovec *to, int room) {
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

struct record {
  enum kind kind;
  uint64_t object;
  int64_t a, b;
  const char *path, *second;
  const struct iovec *payload;
  int pieces;
};

/* To be called with the mutex held. One write, so that a process that is killed leaves whole records. */
static void append(struct record record) {
  size_t path_length = record.path == NULL ? 0 : strlen(record.path);
  size_t second_length = record.second == NULL ? 0 : strlen(record.second);
  size_t payload_length = length_of(record.payload, record.pieces);
  struct header header = {record.kind, (uint32_t)getpid(), (uint32_t)gettid(), (uint32_t)path_length,
                          (uint32_t)second_length, (uint32_t)payload_length, record.object, record.a, record.b};
  size_t total = sizeof header + path_length + second_length + payload_length;
  char *whole = malloc(total);
  if (whole == NULL) give_up("anything", "no memory");
  char *end = mempcpy(whole, &header, sizeof header);
  end = mempcpy(end, record.path, path_length);
  end = mempcpy(end, record.second, second_length);
  for (int i = 0; i < record.pieces; i++) end = mempcpy(end, record.payload[i].iov_base, record.payload[i].iov_len);
  append_all(whole, total);
  free(whole);
}

static void append_alone(struct record record) {
  int saved = errno;
  pthread_mutex_lock(&order);
  append(record);
  pthread_mutex_unlock(&order);
  errno = saved;
}

/* What is ours to record */

static int is_below(const char *path) {
  return root_length > 0 && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == '\0');
}

/* The inode behind a descriptor of a file or directory below the root; 0 for any other. */
static uint64_t watched(int fd) {
  struct stat stats;
  char link[40], path[PATH_MAX];
  if (root_length == 0) return 0;
  int saved = errno;
  uint64_t inode = 0;
  if (fstat(fd, &stats) == 0 && (S_ISREG(stats.st_mode) || S_ISDIR(stats.st_mode))) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
      path[length] = '\0';
      if (is_below(path)) inode = stats.st_ino;
    }
  }
  errno = saved;
  return inode;
}

/* Makes a path absolute; false where it is not below the root. */
static int below(int directory, const char *path, char *absolute) {
  if (root_length == 0 || path == NULL) return 0;
  int saved = errno;
  if (path[0] == '/') {
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(absolute, path);
  } else {
    char base[PATH_MAX / 2], link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(directory == AT_FDCWD ? "/proc/self/cwd" : link, base, sizeof base - 1);
    if (length <= 0 || strlen(path) >= PATH_MAX / 2) return 0;
    base[length] = '\0';
    snprintf(absolute, PATH_MAX, "%s/%s", base, path);
  }
  errno = saved;
  if (!is_below(absolute)) return 0;
  if (strstr(absolute, "/../") || strstr(absolute, "/./") || strstr(absolute, "//")) give_up("a path with dots", absolute);
  return 1;
}

static uint64_t inode_of(const char *path) {
  struct stat stats;
  return lstat(path, &stats) == 0 && !S_ISSOCK(stats.st_mode) ? stats.st_ino : 0;
}

/* Changes of files: made and recorded under the mutex */

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

/* `end` is the position after the write, or negative where the call says where it writes. */
static void append_write(uint64_t inode, int fd, off_t offset, const struct iovec *pieces, int count, ssize_t written) {
  int saved = errno;
  if (written > 0) {
    off_t start = offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR) - written;
    struct iovec whole[count > 0 ? count : 1];
    int used = cut(pieces, count, (size_t)written, whole, count);
    append((struct record){.kind = WRITE, .object = inode, .a = start, .payload = whole, .pieces = used});
  }
  errno = saved;
}

/* Evaluates `call` under the mutex and records what it wrote, where the descriptor is one of ours. */
#define RECORD_WRITE(fd, offset, pieces, count, call)                        \
  do {                                                                       \
    uint64_t inode = watched(fd);                                            \
    if (inode == 0) break;                                                   \
    pthread_mutex_lock(&order);                                              \
    ssize_t written = (call);                                                \
    append_write(inode, fd, offset, pieces, count, written);                 \
    pthread_mutex_unlock(&order);                                            \
    return written;                                                          \
  } while (0)

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

int remove(const char *path) {
  char full[PATH_MAX];
  if (below(AT_FDCWD, path, full)) give_up("remove()", full);
  return REAL(remove)(path);
}

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

/* Syncs: not under the mutex, as others go on meanwhile */

static int sync_recorded(int fd, int (*sync_call)(int)) {
  uint64_t inode = watched(fd);
  if (inode == 0) return sync_call(fd);
  append_alone((struct record){.kind = SYNC_BEGUN, .object = inode});
  int result = sync_call(fd);
  int saved = errno;
  if (sync_us > 0) usleep(sync_us);
  if (result == 0) append_alone((struct record){.kind = SYNC_DONE, .object = inode});
  errno = saved;
  return result;
}

int fsync(int fd) { return sync_recorded(fd, REAL(fsync)); }

int fdatasync(int fd) { return sync_recorded(fd, REAL(fdatasync)); }

/* What is said and heard */

static int port_of(const struct sockaddr_storage *address) {
  if (address->ss_family == AF_INET) return ntohs(((const struct sockaddr_in *)address)->sin_port);
  if (address->ss_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
  return 0;
}

/* Fills in who talks to whom; false where the descriptor is no stream socket, or belongs to the standard streams. */
static int is_conversation(int fd, struct record *record) {
  struct stat stats;
  struct sockaddr_storage here = {0}, there = {0};
  socklen_t length = sizeof here, other = sizeof there;
  int type = 0;
  socklen_t type_length = sizeof type;
  if (root_length == 0 || fd <= STDERR_FILENO || fstat(fd, &stats) != 0 || !S_ISSOCK(stats.st_mode)) return 0;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || type != SOCK_STREAM) return 0;
  if (getsockname(fd, (struct sockaddr *)&here, &length) != 0) return 0;
  if (getpeername(fd, (struct sockaddr *)&there, &other) != 0) return 0;
  record->object = stats.st_ino;
  record->a = port_of(&here);
  record->b = port_of(&there);
  return 1;
}

static void record_words(enum kind kind, int fd, const struct iovec *pieces, int count, size_t length) {
  struct record record = {.kind = kind};
  struct iovec kept[PIECES];
  int saved = errno;
  if (kind == SENT && (fd == STDOUT_FILENO || fd == STDERR_FILENO)) {
    record.kind = SAID;
    record.a = fd;
    record.pieces = cut(pieces, count, KEPT_OF_OUTPUT, kept, PIECES);
  } else if (is_conversation(fd, &record)) {
    record.pieces = cut(pieces, count, length < KEPT_OF_SOCKET ? length : KEPT_OF_SOCKET, kept, PIECES);
  }
  record.payload = kept;
  if (root_length > 0 && record.pieces > 0) append_alone(record);
  errno = saved;
}

static void record_sent(int fd, const struct iovec *pieces, int count) {
  record_words(SENT, fd, pieces, count, KEPT_OF_SOCKET);
}

static ssize_t record_heard(int fd, const struct iovec *pieces, int count, ssize_t length) {
  if (length > 0) record_words(HEARD, fd, pieces, count, (size_t)length);
  return length;
}

ssize_t write(int fd, const void *octets, size_t length) {
  struct iovec piece = {(void *)octets, length};
  RECORD_WRITE(fd, -1, &piece, 1, REAL(write)(fd, octets, length));
  record_sent(fd, &piece, 1);
  return REAL(write)(fd, octets, length);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  RECORD_WRITE(fd, -1, pieces, count, REAL(writev)(fd, pieces, count));
  record_sent(fd, pieces, count);
  return REAL(writev)(fd, pieces, count);
}

ssize_t send(int fd, const void *octets, size_t length, int flags) {
  struct iovec piece = {(void *)octets, length};
  record_sent(fd, &piece, 1);
  return REAL(send)(fd, octets, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  record_sent(fd, message->msg_iov, (int)message->msg_iovlen);
  return REAL(sendmsg)(fd, message, flags);
}

ssize_t read(int fd, void *octets, size_t length) {
  ssize_t result = REAL(read)(fd, octets, length);
  struct iovec piece = {octets, length};
  return record_heard(fd, &piece, 1, result);
}

ssize_t readv(int fd, const struct iovec *pieces, int count) {
  return record_heard(fd, pieces, count, REAL(readv)(fd, pieces, count));
}

ssize_t recv(int fd, void *octets, size_t length, int flags) {
  ssize_t result = REAL(recv)(fd, octets, length, flags);
  struct iovec piece = {octets, length};
  return record_heard(fd, &piece, 1, result);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  return record_heard(fd, message->msg_iov, (int)message->msg_iovlen, REAL(recvmsg)(fd, message, flags));
}

/* What has no place in the model must not happen unseen */

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
  if (number == SYS_io_uring_setup && root_length > 0) {
    errno = ENOSYS;
    return -1;
  }
  if (number == SYS_write || number == SYS_pwrite64 || number == SYS_fsync || number == SYS_ftruncate ||
      number == SYS_fdatasync || number == SYS_fallocate)
    REFUSE((int)a, "a bare system call");
  if (number == SYS_copy_file_range) REFUSE((int)c, "copy_file_range()");
  return REAL(syscall)(number, a, b, c, d, e, f);
}

/* The same calls under the names that programs with 64-bit offsets were built with; off_t has 64 bits here anyway. */
_Static_assert(sizeof(off_t) == 8, "offsets of 64 bits");
#define ALSO(alias_name, name) extern __typeof__(name) alias_name __attribute__((alias(#name)))
ALSO(open64, open);
ALSO(openat64, openat);
ALSO(creat64, creat);
ALSO(pwrite64, pwrite);
ALSO(pwritev64, pwritev);
ALSO(pwritev64v2, pwritev2);
ALSO(ftruncate64, ftruncate);
ALSO(truncate64, truncate);
ALSO(fallocate64, fallocate);
ALSO(posix_fallocate64, posix_fallocate);
ALSO(sendfile64, sendfile);
ALSO(mmap64, mmap);
