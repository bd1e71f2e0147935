/*
 * What is said and heard on stream sockets, standard output and standard error; and read() and write(), which serve for
 * files too. What is said is recorded before it is said, what is heard before the process can act on it.
 */
#include "recorder.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* Of a message on a socket so many octets are enough to know it again; the log that the process writes is kept whole. */
enum { KEPT_OF_SOCKET = 8192, KEPT_OF_OUTPUT = 1 << 20, PIECES = 8 };

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
  if (!is_recorded() || fd <= STDERR_FILENO || fstat(fd, &stats) != 0 || !S_ISSOCK(stats.st_mode)) return 0;
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
  if (is_recorded() && record.pieces > 0) append_alone(record);
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
