/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's server: clients, lines in, answers out.
 *
 * A client has at most one answer under way; its next line waits. Long lists are written piece by piece as the client reads them. The
 * one timer of a client ends it after CLIENT_IDLE_MS without progress, except while it traces or waits for a reload or an upgrade. Memory of a
 * client or of the server goes when libuv has let go of its handle.
 */
#include "control/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/import.h"
#include "control/request.h"

enum { NOBODY = 65534 }; /* what the kernel, too, takes for users it cannot name */
enum { CLIENTS_MAX = 32, CLIENT_IDLE_MS = 60000, PIECE = 65536, TRACE_QUEUE = 262144, BACKLOG = 16 };

/* Bytes that grow. */
struct bytes {
	char *data;
	size_t len, size;
};

/* What is being traced, and by whom. */
struct trace {
	struct trace *next;
	struct control_server *server;
	struct initiator *initiator; /* NULL: a user of the concentrator */
	char name[256];
	struct client *clients;
	bool emitting;
};

/* An answer that comes later; the client may go before it. */
struct job {
	struct client *client; /* NULL: it has gone */
};

struct client {
	struct client *next, **link;
	struct control_server *server;
	uv_pipe_t pipe;
	bool may_change, closing, eof, stopped_reading;
	bool busy;        /* an answer is under way */
	bool close_after; /* close when it is out */
	enum request_then waits; /* REQUEST_RELOAD, REQUEST_UPGRADE: for its end; REQUEST_ANSWER: for nothing */
	struct job *job;
	struct control_import *import; /* its lines are coming */
	struct wheel_timer idle;
	struct bytes in, out;
	uv_write_t write;
	char *writing; /* handed to libuv */
	json_t *list;  /* elements from list_at on are to be sent */
	size_t list_at;
	struct trace *trace;
	struct client *next_tracing;
	uint64_t lost;
};

struct control_server {
	struct loop *loop;
	struct control_targets *targets;
	uv_pipe_t listener;
	struct client *clients;
	unsigned client_count;
	unsigned handles; /* open or closing */
	bool closing;
	bool under_way[REQUEST_UPGRADE + 1]; /* a reload, an upgrade */
	struct trace *traces;
};

static void client_pump(struct client *c);
static void client_next(struct client *c);
static void client_reading(struct client *c);

static bool bytes_add(struct bytes *b, const char *data, size_t len)
{
	if (b->len + len > b->size) {
		size_t size = (b->len + len) * 2;
		char *grown = realloc(b->data, size);

		if (!grown)
			return false;
		b->data = grown;
		b->size = size;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return true;
}

static void handle_gone(struct control_server *s)
{
	if (!--s->handles && s->closing)
		free(s);
}

/* ---- traces ---- */

static void trace_stop(struct trace *t)
{
	struct control_server *s = t->server;

	for (struct trace **at = &s->traces; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	if (t->initiator)
		initiator_trace(t->initiator, NULL, t);
	else if (s->targets->concentrator)
		concentrator_trace(s->targets->concentrator, t->name, NULL, t);
	free(t);
}

static void trace_leave(struct client *c)
{
	struct trace *t = c->trace;

	if (!t)
		return;
	for (struct client **at = &t->clients; *at; at = &(*at)->next_tracing)
		if (*at == c) {
			*at = c->next_tracing;
			break;
		}
	c->trace = NULL;
	if (!t->clients && !t->emitting)
		trace_stop(t);
}

static void tell_lost(struct client *c)
{
	char text[64];
	int n;

	if (!c->lost)
		return;
	n = snprintf(text, sizeof(text), "{\"event\":\"lost\",\"lost\":%llu}\n", (unsigned long long)c->lost);
	if (bytes_add(&c->out, text, (size_t)n))
		c->lost = 0;
}

static void trace_line(struct client *c, const char *line, size_t len)
{
	if (c->out.len + len > TRACE_QUEUE) {
		c->lost++;
		return;
	}
	tell_lost(c);
	if (!bytes_add(&c->out, line, len))
		c->lost++;
	client_pump(c);
}

/* An event of a role; the reference is ours. */
static void trace_emit(void *owner, struct json_t *event)
{
	struct trace *t = owner;
	char *line = json_dumps(event, JSON_COMPACT);
	struct client *c, *next;
	size_t len;

	json_decref(event);
	if (!line)
		return;
	len = strlen(line);
	line[len] = '\n'; /* in the place of its zero; the length goes with it */
	t->emitting = true;
	for (c = t->clients; c; c = next) {
		next = c->next_tracing;
		trace_line(c, line, len + 1);
	}
	t->emitting = false;
	free(line);
	if (!t->clients)
		trace_stop(t);
}

static struct trace *trace_find(struct control_server *s, const struct initiator *i)
{
	struct trace *t = s->traces;

	while (t && t->initiator != i)
		t = t->next;
	return t;
}

/* NULL, or a refusal. */
static json_t *trace_join(struct client *c, const struct answer *a)
{
	struct control_server *s = c->server;
	struct trace *t = trace_find(s, a->trace_initiator);

	if (t && !t->initiator && strcmp(t->name, a->trace_name) != 0)
		return request_refusal("%s is being traced, and only one user at a time can be", t->name);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return request_refusal("not enough memory");
		t->server = s;
		t->initiator = a->trace_initiator;
		memcpy(t->name, a->trace_name, sizeof(t->name));
		t->next = s->traces;
		s->traces = t;
		if (t->initiator)
			initiator_trace(t->initiator, trace_emit, t);
		else
			concentrator_trace(s->targets->concentrator, t->name, trace_emit, t);
	}
	c->trace = t;
	c->next_tracing = t->clients;
	t->clients = c;
	return NULL;
}

/* ---- a client's end ---- */

static void client_gone(uv_handle_t *h)
{
	struct client *c = h->data;
	struct control_server *s = c->server;

	free(c->in.data);
	free(c->out.data);
	free(c->writing);
	free(c);
	handle_gone(s);
}

static void client_close(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	trace_leave(c);
	control_import_free(c->import);
	c->import = NULL;
	if (c->job)
		c->job->client = NULL;
	c->job = NULL;
	wheel_disarm(&c->server->loop->wheel, &c->idle);
	json_decref(c->list);
	c->list = NULL;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->server->client_count--;
	uv_close((uv_handle_t *)&c->pipe, client_gone);
}

static void client_idle(struct wheel_timer *timer, msec now)
{
	struct client *c = container_of(timer, struct client, idle);

	(void)now;
	client_close(c);
}

static void client_progress(struct client *c)
{
	struct wheel *w = &c->server->loop->wheel;

	if (c->trace || c->waits || c->job)
		wheel_disarm(w, &c->idle);
	else
		wheel_arm(w, &c->idle, loop_clock() + CLIENT_IDLE_MS);
}

/* ---- answers out ---- */

static void written(uv_write_t *w, int status)
{
	struct client *c = w->data;

	free(c->writing);
	c->writing = NULL;
	if (c->closing)
		return;
	if (status < 0) {
		client_close(c);
		return;
	}
	client_progress(c);
	tell_lost(c);
	client_pump(c);
}

/* Moves elements of the list under way into the buffer, about one PIECE of them. */
static void client_list(struct client *c)
{
	size_t count = json_array_size(c->list);
	bool ok = true;

	while (ok && c->out.len < PIECE && c->list_at < count) {
		char *text = json_dumps(json_array_get(c->list, c->list_at), JSON_COMPACT);

		ok = text && (!c->list_at || bytes_add(&c->out, ",", 1)) &&
		     bytes_add(&c->out, text, strlen(text));
		free(text);
		/* What is sent is not needed any more. */
		ok = ok && !json_array_set_new(c->list, c->list_at, json_null());
		c->list_at++;
	}
	if (c->list_at == count) {
		ok = ok && bytes_add(&c->out, "]}\n", 3);
		json_decref(c->list);
		c->list = NULL;
	}
	if (!ok)
		client_close(c);
}

/* Writes what there is to write, unless a write is under way. */
static void client_pump(struct client *c)
{
	uv_buf_t buf;

	if (c->closing || c->writing)
		return;
	if (c->list && !c->out.len)
		client_list(c);
	if (c->closing)
		return;
	if (c->out.len) {
		c->writing = c->out.data;
		buf = uv_buf_init(c->writing, (unsigned)c->out.len);
		c->out = (struct bytes){0};
		c->write.data = c;
		if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, written)) {
			free(c->writing);
			c->writing = NULL;
			client_close(c);
		}
		return;
	}
	if (c->waits || c->job || c->import || !c->busy)
		return;
	c->busy = false;
	if (c->close_after) {
		client_close(c);
		return;
	}
	client_next(c);
	client_reading(c);
}

/* OBJECT's reference is taken over; NULL means that memory was short. With LIST it stays open for it. */
static void client_answer(struct client *c, json_t *object, const char *name, json_t *list)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	bool ok = text != NULL;

	if (ok && list)
		ok = bytes_add(&c->out, text, len - 1) && bytes_add(&c->out, ",\"", 2) &&
		     bytes_add(&c->out, name, strlen(name)) && bytes_add(&c->out, "\":[", 3);
	else if (ok)
		ok = bytes_add(&c->out, text, len) && bytes_add(&c->out, "\n", 1);
	free(text);
	json_decref(object);
	c->list = list;
	c->list_at = 0;
	if (!ok)
		client_close(c);
	else
		client_pump(c);
}

/* ---- requests in ---- */

static void job_done(void *owner, struct json_t *answer)
{
	struct job *job = owner;
	struct client *c = job->client;

	free(job);
	if (!c) {
		json_decref(answer);
		return;
	}
	c->job = NULL;
	client_progress(c);
	client_answer(c, answer, NULL, NULL);
}

/* NULL: the client is closed, for memory is short. */
static struct job *job_begin(struct client *c)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		client_close(c);
		return NULL;
	}
	job->client = c;
	c->job = job;
	client_progress(c);
	return job;
}

static void client_check(struct client *c)
{
	struct job *job = job_begin(c);

	if (job)
		concentrator_check_leases(c->server->targets->concentrator, job_done, job);
}

static void dumped(void *owner, const char *path, const char *why)
{
	job_done(owner, path ? json_pack("{s:b, s:s}", "ok", 1, "file", path) : request_refusal("%s", why));
}

static void client_dump(struct client *c)
{
	struct job *job = job_begin(c);

	if (job)
		afbr_dump(c->server->targets->afbr, dumped, job);
}

/* All its lines have come. */
static void client_import(struct client *c)
{
	struct control_import *import = c->import;
	struct job *job = job_begin(c);

	if (!job) /* the import has gone with the client */
		return;
	c->import = NULL;
	control_import_run(import, job_done, job);
}

static void client_begin_import(struct client *c, const struct answer *a)
{
	c->import = control_import_new(c->server->targets->concentrator, a->import_leases, a->import_rule);
	if (!c->import)
		client_answer(c, request_refusal("not enough memory"), NULL, NULL);
	else /* so that nobody sends lines to a server that has refused them */
		client_answer(c, json_pack("{s:b, s:I}", "ok", 1, "send", (json_int_t)a->import_leases), NULL, NULL);
	if (c->import)
		client_next(c);
}

/* As many lines of the import as have come. */
static void client_import_lines(struct client *c)
{
	char *at = c->in.data, *end = at + c->in.len, *newline;

	while (!control_import_is_complete(c->import) && at < end) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline && c->eof)
			newline = end; /* the last line needs none */
		if (!newline)
			break;
		control_import_line(c->import, at, (size_t)(newline - at));
		at = newline < end ? newline + 1 : end;
	}
	c->in.len = (size_t)(end - at);
	if (c->in.len)
		memmove(c->in.data, at, c->in.len);
	if (control_import_is_complete(c->import))
		client_import(c);
	else if (c->eof || c->in.len >= REQUEST_LINE) /* not all of it, or no line: nothing has changed */
		client_close(c);
}

/* What takes its time, and happens once for all who ask for it meanwhile. */
static void client_wait(struct client *c, enum request_then what)
{
	struct control_server *s = c->server;
	void (*ask)(void *owner) = what == REQUEST_RELOAD ? s->targets->reload : s->targets->upgrade;

	if (!ask) {
		client_answer(c, request_refusal("this daemon cannot %s", what == REQUEST_RELOAD ? "reload" : "be upgraded"), NULL,
			NULL);
		return;
	}
	c->waits = what;
	client_progress(c);
	if (!s->under_way[what]) {
		s->under_way[what] = true;
		ask(s->targets->owner); /* may be done before it returns */
	}
}

static void client_line(struct client *c, const char *line, size_t len)
{
	struct answer a;
	json_t *refusal;

	c->busy = true;
	request_handle(c->server->targets, c->may_change, line, len, &a);
	if (a.then == REQUEST_CLOSE)
		c->close_after = true;
	if (a.then == REQUEST_RELOAD || a.then == REQUEST_UPGRADE) {
		client_wait(c, a.then);
		return;
	}
	if (a.then == REQUEST_CHECK) {
		client_check(c);
		return;
	}
	if (a.then == REQUEST_DUMP) {
		client_dump(c);
		return;
	}
	if (a.then == REQUEST_IMPORT) {
		client_begin_import(c, &a);
		return;
	}
	if (a.then == REQUEST_TRACE) {
		refusal = trace_join(c, &a);
		if (refusal) {
			json_decref(a.object);
			a.object = refusal;
		}
	}
	client_answer(c, a.object, a.name, a.list);
}

/* Takes the next line, if a whole one is there and nothing is under way. */
static void client_next(struct client *c)
{
	char *line, *end;
	size_t len;

	if (c->closing)
		return;
	if (c->import) {
		client_import_lines(c);
		return;
	}
	if (c->busy)
		return;
	if (c->trace) {
		c->in.len = 0; /* whoever traces has nothing to ask on the same connection */
		if (c->eof)
			client_close(c);
		return;
	}
	line = c->in.data;
	end = c->in.len ? memchr(line, '\n', c->in.len) : NULL;
	if (!end && c->eof && c->in.len)
		end = line + c->in.len; /* the last line needs no newline */
	if (!end && c->in.len >= REQUEST_LINE) {
		c->busy = c->close_after = true;
		client_answer(
			c, request_refusal("a request may have at most %d bytes", REQUEST_LINE), NULL, NULL);
		return;
	}
	if (!end) {
		if (c->eof)
			client_close(c);
		return;
	}
	len = (size_t)(end - line);
	line = malloc(len + 1);
	if (!line) {
		client_close(c);
		return;
	}
	memcpy(line, c->in.data, len);
	c->in.len -= len < c->in.len ? len + 1 : len;
	memmove(c->in.data, end + 1, c->in.len);
	client_line(c, line, len);
	free(line);
}

static void client_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *c = h->data;

	(void)suggested;
	if (!c->in.data) {
		c->in.data = malloc(REQUEST_LINE + 1);
		c->in.size = c->in.data ? REQUEST_LINE + 1 : 0;
	}
	*buf = uv_buf_init(c->in.data + c->in.len, (unsigned)(c->in.size - c->in.len));
}

static void client_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* Reads on while there is room. */
static void client_reading(struct client *c)
{
	bool room = c->in.len < REQUEST_LINE + 1;

	if (c->closing || c->eof || room != c->stopped_reading)
		return;
	c->stopped_reading = !room;
	if (room)
		uv_read_start((uv_stream_t *)&c->pipe, client_alloc, client_read);
	else
		uv_read_stop((uv_stream_t *)&c->pipe);
}

static void client_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;

	(void)buf;
	if (n == UV_EOF) {
		c->eof = true; /* what was asked before is still answered */
		uv_read_stop(stream);
	} else if (n < 0) {
		client_close(c);
		return;
	} else {
		c->in.len += (size_t)n;
		client_progress(c);
	}
	client_next(c);
	client_reading(c);
}

/* ---- the server ---- */

static bool peer_may_change(uv_pipe_t *pipe)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)pipe, &fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	/* Root, and whoever runs us in a test; nobody may be anybody, though we may run as that user ourselves. */
	return cred.uid == 0 || (cred.uid == geteuid() && cred.uid != NOBODY);
}

static void refuse_client(struct client *c)
{
	static char text[] =
		"{\"ok\":false,\"error\":\"32 clients are connected already: try again later\"}\n";
	uv_buf_t buf = uv_buf_init(text, sizeof(text) - 1);

	(void)uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, client_gone);
}

static void client_open(struct client *c)
{
	struct control_server *s = c->server;

	c->next = s->clients;
	c->link = &s->clients;
	if (c->next)
		c->next->link = &c->next;
	s->clients = c;
	s->client_count++;
	c->idle.fire = client_idle;
	c->may_change = peer_may_change(&c->pipe);
	client_progress(c);
	if (uv_read_start((uv_stream_t *)&c->pipe, client_alloc, client_read))
		client_close(c);
}

static void connected(uv_stream_t *listener, int status)
{
	struct control_server *s = listener->data;
	struct client *c;

	if (status < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->server = s;
	if (uv_pipe_init(&s->loop->uv, &c->pipe, 0)) {
		free(c);
		return;
	}
	c->pipe.data = c;
	s->handles++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe)) {
		c->closing = true;
		uv_close((uv_handle_t *)&c->pipe, client_gone);
	} else if (s->client_count == CLIENTS_MAX) {
		refuse_client(c);
	} else {
		client_open(c);
	}
}

static void listener_gone(uv_handle_t *h)
{
	handle_gone(h->data);
}

struct control_server *control_server_new(struct loop *loop, int fd, struct control_targets *targets)
{
	struct control_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	(void)signal(SIGPIPE,
		SIG_IGN); /* libuv writes without MSG_NOSIGNAL; a client that has left is an error of write() */
	s->loop = loop;
	s->targets = targets;
	err = uv_pipe_init(&loop->uv, &s->listener, 0);
	if (err) {
		free(s);
		return NULL;
	}
	s->listener.data = s;
	s->handles = 1;
	err = uv_pipe_open(&s->listener, fd);
	if (!err)
		err = uv_listen((uv_stream_t *)&s->listener, BACKLOG, connected);
	if (!err)
		return s;
	log_message(targets->log, LEVEL_ERROR, "control", "cannot listen on the control socket: %s",
		uv_strerror(err));
	control_server_free(s);
	return NULL;
}

void control_server_free(struct control_server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	while (s->clients)
		client_close(s->clients);
	uv_close((uv_handle_t *)&s->listener, listener_gone);
}

/* ANSWER's reference is taken over. */
static void answer_waiting(struct control_server *s, enum request_then what, json_t *answer)
{
	struct client *c, *next;

	s->under_way[what] = false;
	for (c = s->clients; c; c = next) {
		next = c->next;
		if (c->waits != what)
			continue;
		c->waits = REQUEST_ANSWER;
		client_progress(c);
		client_answer(c, json_incref(answer), NULL, NULL);
	}
	json_decref(answer);
}

void control_reload_done(
	struct control_server *s, struct json_t *errors, struct json_t *warnings, struct json_t *say)
{
	answer_waiting(s, REQUEST_RELOAD, request_reloaded(errors, warnings, say));
	json_decref(errors);
	json_decref(warnings);
	json_decref(say);
}

void control_upgrade_done(struct control_server *s, int result, const char *version, struct json_t *say)
{
	answer_waiting(s, REQUEST_UPGRADE, request_upgraded(result, version, say));
	json_decref(say);
}

void control_forget_initiator(struct control_server *s, const struct initiator *i)
{
	struct trace *t = trace_find(s, i);
	struct client *next;

	for (struct client *c = t ? t->clients : NULL; c; c = next) {
		next = c->next_tracing;
		client_close(c); /* the last one ends the trace */
	}
}
