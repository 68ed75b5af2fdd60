/*
 * Many processes with many sockets: what a busy machine looks like to whoever asks who holds a port.
 *
 *   holders PROCESSES DESCRIPTORS FOLDER
 *
 * Each process listens on a port of 127.0.0.1 and on FOLDER/N.sock, and fills up to DESCRIPTORS with both ends of
 * connections to its own port. A line "PID PORT" for each on standard output, in the order of N; all live as long as
 * standard input stays open.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void wait_for_end(void) {
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}

static int hold(int number, int descriptors, const char *folder) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  socklen_t size = sizeof address;
  int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(tcp, (struct sockaddr *)&address, sizeof address) || listen(tcp, descriptors)) fail("listen");
  if (getsockname(tcp, (struct sockaddr *)&address, &size)) fail("getsockname");
  snprintf(path.sun_path, sizeof path.sun_path, "%s/%d.sock", folder, number);
  if (bind(local, (struct sockaddr *)&path, sizeof path) || listen(local, 16)) fail(path.sun_path);
  for (int open = 2; open + 2 <= descriptors; open += 2) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, sizeof address)) fail("connect");
    if (accept(tcp, NULL, NULL) < 0) fail("accept");
  }
  return ntohs(address.sin_port);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int processes = atoi(argv[1]), ready[2];
  for (int number = 0; number < processes; number += 1) {
    if (pipe(ready)) fail("pipe");
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      /* Whoever reads what the parent says waits until nobody can write any more. */
      close(1);
      int port = hold(number, atoi(argv[2]), argv[3]);
      if (write(ready[1], &port, sizeof port) != sizeof port) fail("write");
      close(ready[0]);
      close(ready[1]);
      wait_for_end();
      _exit(0);
    }
    int port = 0;
    close(ready[1]);
    if (read(ready[0], &port, sizeof port) != sizeof port) fail("a holder");
    close(ready[0]);
    printf("%d %d\n", pid, port);
  }
  fflush(stdout);
  fclose(stdout);
  wait_for_end();
  while (wait(NULL) > 0) {
  }
  return 0;
}
