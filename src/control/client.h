/* client: the other end of the control socket, blocking, for softwire(1) and for tests. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

struct control_client {
	int fd;
	char *buf; /* what came; the line that was taken last is its first USED bytes */
	size_t len, size, used;
};

/* 0, or -errno and a sentence in WHY. */
int control_client_open(struct control_client *c, const char *path, char why[256]);
void control_client_close(struct control_client *c);
/* Adds "v":1 to REQUEST (its reference is taken over) and sends it. 0 or -errno. */
int control_client_send(struct control_client *c, json_t *request);
/* Sends LEN bytes as they are: lines that a request has announced. 0 or -errno. */
int control_client_send_raw(struct control_client *c, const char *data, size_t len);
/* The next line without its newline, valid until the next call; NULL at the end or after an error. */
const char *control_client_line(struct control_client *c, size_t *ret_len);

#endif
