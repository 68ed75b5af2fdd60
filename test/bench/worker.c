/*
 * The instrument: a service so small that what is measured is its supervisor.
 *
 *   worker NAME STAMPS [-p PORT [-a]] [-s SOCKET] [-l LINES [-w LINES_PER_WRITE] [-i PAUSE_MS]]
 *   worker @ SCRIPT
 *
 * The second form takes its arguments from a file, one a line below the first. With "#!/path/of/worker @" as its first
 * line such a file is a program, for supervisors that take only a script: without a shell in between.
 *
 * The first thing that main does is to read CLOCK_MONOTONIC (the clock of Node's process.hrtime). The reading goes
 * to the end of STAMPS as one line, "NAME PID NANOSECONDS", in one write to a file opened O_APPEND, so that any number
 * of workers can share it. Then it binds what it was told to and sleeps until it is killed.
 *
 * With -l it waits for SIGUSR1, writes so many numbered lines of 100 bytes to standard output, and stamps
 * "NAME.begin" and "NAME.end" around them; -i is the pause after each write. With -a it accepts connections at its
 * port, and closes them.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE 100

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void stamp(const char *path, const char *name, const char *suffix, struct timespec at) {
  char line[256];
  int length = snprintf(line, sizeof line, "%s%s %d %lld\n", name, suffix, (int)getpid(),
                        (long long)at.tv_sec * 1000000000LL + at.tv_nsec);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, line, (size_t)length) != length) fail(path);
  close(fd);
}

static struct timespec now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at;
}

static int hold_port(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0) fail("port");
  return fd;
}

static void hold_socket(const char *path) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail(path);
  strcpy(address.sun_path, path);
  unlink(path); /* no peer removes the one that its last incarnation left behind */
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0) fail(path);
}

static void write_lines(long lines, long per_write, long pause_ms) {
  struct timespec pause_time = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L};
  char *block = malloc((size_t)per_write * LINE + 1);
  if (block == NULL) fail("malloc");
  for (long next = 0; next < lines;) {
    long in_block = lines - next < per_write ? lines - next : per_write;
    for (long i = 0; i < in_block; i++, next++) {
      char *line = block + i * LINE;
      int digits = snprintf(line, LINE, "%010ld ", next);
      memset(line + digits, 'x', (size_t)(LINE - 1 - digits));
      line[LINE - 1] = '\n';
    }
    for (ssize_t done = 0, size = in_block * LINE; done < size;) {
      ssize_t written = write(STDOUT_FILENO, block + done, (size_t)(size - done));
      if (written < 0) fail("stdout");
      done += written;
    }
    if (pause_ms > 0) nanosleep(&pause_time, NULL);
  }
  free(block);
}

/* Fills argv from a script's lines; returns how many there are, the name of the program among them. */
static int read_script(const char *path, char **argv, int most) {
  static char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC), argc = 0;
  ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (size < 0) fail(path);
  close(fd);
  for (char *line = strtok(text, "\n"); line != NULL && argc < most; line = strtok(NULL, "\n")) argv[argc++] = line;
  argv[argc] = NULL;
  return argc;
}

int main(int argc, char **argv) {
  struct timespec born = now();
  char *scripted[16 + 1];
  long lines = 0, per_write = 1, pause_ms = 0;
  int port = 0, accepts = 0, listener = -1, option;
  const char *socket_path = NULL;
  sigset_t go;

  if (argc == 3 && strcmp(argv[1], "@") == 0) {
    argc = read_script(argv[2], scripted, 16);
    argv = scripted;
  }
  if (argc < 3) return 2;
  const char *name = argv[1], *stamps = argv[2];
  optind = 3;
  while ((option = getopt(argc, argv, "p:s:l:w:i:a")) != -1) {
    if (option == 'p') port = atoi(optarg);
    else if (option == 's') socket_path = optarg;
    else if (option == 'l') lines = atol(optarg);
    else if (option == 'w') per_write = atol(optarg);
    else if (option == 'i') pause_ms = atol(optarg);
    else if (option == 'a') accepts = 1;
    else return 2;
  }

  /* Before the stamp: whoever reads it may send the signal at once. */
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  sigprocmask(SIG_BLOCK, &go, NULL);

  stamp(stamps, name, "", born);
  if (port != 0) listener = hold_port(port);
  if (socket_path != NULL) hold_socket(socket_path);
  if (lines > 0) {
    int signal_number;
    sigwait(&go, &signal_number);
    stamp(stamps, name, ".begin", now());
    write_lines(lines, per_write, pause_ms);
    stamp(stamps, name, ".end", now());
  }
  while (accepts && listener >= 0) {
    int client = accept(listener, NULL, NULL);
    if (client >= 0) close(client);
  }
  for (;;) pause();
}
