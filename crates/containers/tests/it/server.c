/* A server as small as a container can be: answers every request with its arguments and environment, line by line.
   Its first argument may say how it misbehaves. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void asked_to_end(int number) {
  static const char said[] = "asked to end\n";
  (void)number;
  (void)!write(1, said, sizeof said - 1);
  _exit(0);
}

static void answer(int client) {
  static char request[4096], body[8192], head[128];
  ssize_t got = read(client, request, sizeof request - 1);
  if (got <= 0) return; /* Somebody only looked whether anyone is there. */
  if (strncmp(request, "GET /exit ", 10) == 0) _exit(7);
  size_t length = 0;
  FILE *arguments = fopen("/proc/self/cmdline", "r");
  for (int byte; arguments && (byte = getc(arguments)) != EOF && length < 1024;) body[length++] = byte ? (char)byte : ' ';
  if (arguments) fclose(arguments);
  body[length++] = '\n';
  for (char **variable = environ; *variable && length + strlen(*variable) + 2 < sizeof body; variable++)
    length += (size_t)sprintf(body + length, "%s\n", *variable);
  int head_length = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n", length);
  (void)!write(client, head, (size_t)head_length);
  (void)!write(client, body, length);
}

int main(int count, char **words) {
  const char *how = count > 1 ? words[1] : "";
  setvbuf(stdout, NULL, _IONBF, 0);
  signal(SIGTERM, strcmp(how, "stubborn") == 0 ? SIG_IGN : asked_to_end);
  signal(SIGPIPE, SIG_IGN);
  if (strcmp(how, "quits") == 0) {
    fputs("there is no configuration\n", stderr);
    return 3;
  }
  if (strcmp(how, "deaf") == 0)
    for (;;) pause();
  if (strcmp(how, "slow") == 0) usleep(500 * 1000);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(getenv("PORT")))};
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) {
    perror("cannot listen");
    return 1;
  }
  puts("listening");
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    answer(client);
    close(client);
  }
}
