/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * softwire lease: the lease database as text, out and in, and checked. Usually the daemon is asked; with --database the file itself is
 * opened, which nobody else may use at the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "command/command.h"
#include "command/option.h"
#include "control/client.h"
#include "control/config.h"
#include "lease/lease.h"
#include "report/leases.h"

struct options {
	const char *database, *config;
	bool merge, force, help;
};

#define FIELD(field) .offset = offsetof(struct options, field)

static const struct option_row rows[] = {
	{"database", "PATH", .kind = OPTION_TEXT, FIELD(database),
		.help = "not the daemon's, but this one, which no daemon is using"},
	{"config", "FILE", .kind = OPTION_TEXT, FIELD(config),
		.help = "check, with --database: with the pools and users of this configuration"},
	{"merge", NULL, .kind = OPTION_FLAG, FIELD(merge), .help = "import: what conflicts is left out"},
	{"force", NULL, .kind = OPTION_FLAG, FIELD(force),
		.help = "import: what comes wins, unless a softwire uses what is there"},
	{"help", NULL, .kind = OPTION_FLAG, FIELD(help), .help = "print this"},
};
const struct option_table lease_options = {rows, sizeof(rows) / sizeof(*rows)};

static int failed(const char *what, const char *why)
{
	fprintf(stderr, "softwire: %s: %s\n", what, why);
	return FAILED;
}

/* An answer that did not come from the daemon. Its reference is taken over. */
static int finish(
	const struct call *call, json_t *answer, void (*print)(const struct call *call, const json_t *answer))
{
	bool ok = json_is_true(json_object_get(answer, "ok"));

	if (call->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (command_agreed(call, answer)) {
		print(call, answer);
	} else {
		command_sentences(stderr, json_object_get(answer, "errors"));
	}
	json_decref(answer);
	return ok ? DONE : FAILED;
}

/* What the store logs, such as that the file was damaged, is for the user. NULL, and it was said why. */
static struct lease_store *open_database(const struct options *o, struct log *log)
{
	struct lease_store *s = NULL;
	char why[256];

	log_init(log, STDERR_FILENO, LEVEL_WARN);
	if (access(o->database, F_OK))
		failed(o->database, strerror(errno));
	else if (!(s = lease_store_open(NULL, o->database, log, why)))
		fprintf(stderr, "softwire: %s\n", why);
	return s;
}

/* ---- export ---- */

/* HEAD's reference is taken over. */
static bool write_lines(FILE *out, json_t *head, const json_t *leases)
{
	const json_t *line;
	bool ok = head && !json_dumpf(head, out, JSON_COMPACT) && putc('\n', out) != EOF;
	size_t i;

	json_array_foreach(leases, i, line) ok =
		ok && !json_dumpf(line, out, JSON_COMPACT) && putc('\n', out) != EOF;
	json_decref(head);
	return ok && !fflush(out);
}

static bool write_to(FILE *out, const json_t *leases)
{
	return write_lines(out, leases_head(json_array_size(leases), time(NULL)), leases);
}

/* Beside PATH first: an old export is there until the new one is complete. */
static int write_file(const char *path, const json_t *leases)
{
	char part[4096];
	FILE *out = NULL;
	int fd;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return failed(path, strerror(ENAMETOOLONG));
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out)
		return failed(part, strerror(errno));
	if (!write_to(out, leases) || fsync(fd) || fclose(out) || rename(part, path)) {
		failed(path, strerror(errno));
		unlink(part);
		return FAILED;
	}
	fprintf(stderr, "%zu leases are in %s.\n", json_array_size(leases), path);
	return DONE;
}

static json_t *ask_export(const struct call *call)
{
	struct call quiet = *call; /* the file is the answer */
	struct control_client client = {.fd = -1};
	json_t *answer, *leases = NULL;

	quiet.json = false;
	answer = command_ask(&quiet, &client, json_pack("{s:s}", "do", "lease export"));
	if (command_agreed(&quiet, answer))
		leases = json_incref(json_object_get(answer, "leases"));
	json_decref(answer);
	control_client_close(&client);
	return leases;
}

static json_t *read_export(const struct options *o)
{
	struct log log;
	struct lease_store *s = open_database(o, &log);
	json_t *leases = s ? leases_export_all(s) : NULL;

	if (s)
		lease_store_close(s);
	return leases;
}

static int export(const struct call *call, const struct options *o, const char *path)
{
	json_t *leases = o->database ? read_export(o) : ask_export(call);
	int status = FAILED;

	if (leases && path)
		status = write_file(path, leases);
	else if (leases)
		status = write_to(stdout, leases) ? DONE : failed("standard output", strerror(errno));
	json_decref(leases);
	return status;
}

/* ---- import ---- */

/* The file is read line by line, twice: so that half a file is noticed before anything is sent. */
struct source {
	FILE *file;
	const char *path;
	char *line;
	size_t room;
	size_t number; /* of the line */
	size_t leases;
};

/* Its length without the newline; -1: the end. */
static ssize_t next_line(struct source *s)
{
	ssize_t len = getline(&s->line, &s->room, s->file);

	if (len > 0 && s->line[len - 1] == '\n')
		s->line[--len] = '\0';
	s->number++;
	return len;
}

static int bad_line(const struct source *s, const char *why)
{
	fprintf(stderr, "softwire: %s:%zu: %s\n", s->path, s->number, why);
	return FAILED;
}

static int read_head(struct source *s)
{
	ssize_t len = next_line(s);
	json_t *head = len < 0 ? NULL : json_loadb(s->line, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	char why[256];
	int rc = leases_read_head(head, &s->leases, why);

	json_decref(head);
	return rc ? bad_line(s, why) : DONE;
}

static int count_lines(struct source *s)
{
	size_t count = 0;
	char why[120];

	while (next_line(s) >= 0)
		count++;
	if (count == s->leases)
		return DONE;
	snprintf(why, sizeof(why),
		"%zu lines follow the first one, which says that %zu should: the file is not complete", count,
		s->leases);
	return bad_line(s, why);
}

static int open_source(struct source *s, const char *path)
{
	*s = (struct source){.path = path, .file = fopen(path, "re")};
	if (!s->file)
		return failed(path, strerror(errno));
	if (read_head(s) || count_lines(s))
		return FAILED;
	rewind(s->file);
	s->number = 0;
	return read_head(s);
}

static void close_source(struct source *s)
{
	if (s->file)
		fclose(s->file);
	free(s->line);
}

static const char *rule_of(const struct options *o)
{
	return o->force ? "force" : o->merge ? "merge" : "strict";
}

static json_int_t number(const json_t *answer, const char *name)
{
	return json_integer_value(json_object_get(answer, name));
}

static void print_imported(const struct call *call, const json_t *answer)
{
	command_sentences(stdout, json_object_get(answer, "say"));
	printf("%lld added, %lld replaced, %lld were there as they are, %lld left out.\n",
		(long long)number(answer, "added"), (long long)number(answer, "replaced"),
		(long long)number(answer, "same"), (long long)number(answer, "left_out"));
	if (number(answer, "lost"))
		printf("%lld prefixes and addresses were taken from others.\n",
			(long long)number(answer, "lost"));
}

static bool send_lines(struct control_client *client, struct source *s)
{
	ssize_t len;

	while ((len = next_line(s)) >= 0) {
		s->line[len] = '\n'; /* in the place of its zero */
		if (control_client_send_raw(client, s->line, (size_t)len + 1))
			return false;
	}
	return true;
}

static int import_online(const struct call *call, const struct options *o, struct source *s)
{
	struct call quiet = *call;
	struct control_client client = {.fd = -1};
	json_t *answer = NULL, *go;
	const char *line = NULL;
	bool may_send;
	size_t len;

	quiet.json = false;
	go = command_ask(&quiet, &client,
		json_pack("{s:s, s:I, s:s}", "do", "lease import", "leases", (json_int_t)s->leases, "rule",
			rule_of(o)));
	may_send = command_agreed(&quiet, go);
	json_decref(go);
	if (may_send && send_lines(&client, s) && (line = control_client_line(&client, &len)))
		answer = json_loadb(line, len, 0, NULL);
	control_client_close(&client);
	if (answer)
		return finish(call, answer, print_imported);
	if (may_send)
		fprintf(stderr, "softwire: the daemon hung up, and nothing was changed\n");
	return FAILED;
}

struct imported {
	json_t *answer;
};

static void imported(void *owner, int result, const struct lease_import_result *r,
	const char *const *sentences, size_t count, const char *why)
{
	((struct imported *)owner)->answer = leases_imported(result, r, sentences, count, why);
}

static int read_lines(struct lease_import *import, struct source *s)
{
	int status = DONE;
	ssize_t len;

	while ((len = next_line(s)) >= 0) {
		json_t *object = json_loadb(s->line, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
		char why[256] = "it is not JSON";
		struct lease lease;

		if (!object || leases_read(object, &lease, why) || lease_import_add(import, &lease, why))
			status = bad_line(s, why);
		json_decref(object);
	}
	return status;
}

static int import_offline(const struct call *call, const struct options *o, struct source *s)
{
	struct imported got = {0};
	struct lease_import *import;
	enum lease_import_rule rule;
	struct lease_store *store;
	struct log log;

	store = open_database(o, &log);
	import = store ? lease_import_new(store) : NULL;
	if (import && !read_lines(import, s) && !leases_read_rule(rule_of(o), &rule))
		lease_import_run(import, rule, imported, &got);
	else
		lease_import_free(import);
	if (store)
		lease_store_close(store);
	return got.answer ? finish(call, got.answer, print_imported) : FAILED;
}

static int import(const struct call *call, const struct options *o, const char *path)
{
	struct source s;
	int status = open_source(&s, path);

	if (!status)
		status = o->database ? import_offline(call, o, &s) : import_online(call, o, &s);
	close_source(&s);
	return status;
}

/* ---- check ---- */

static void print_checked(const struct call *call, const json_t *answer)
{
	const json_t *problems = json_object_get(answer, "problems"),
		     *notes = json_object_get(answer, "notes"), *note;
	size_t i;

	command_sentences(stdout, problems);
	json_array_foreach(notes, i, note)
		printf("note: %s\n", json_string_value(note) ? json_string_value(note) : "?");
	if (!json_array_size(problems))
		printf("The leases are in order.\n");
}

static int check_online(const struct call *call)
{
	struct control_client client = {.fd = -1};
	json_t *answer = command_ask(call, &client, json_pack("{s:s}", "do", "lease check"));
	bool ok = command_agreed(call, answer);
	size_t problems = json_array_size(json_object_get(answer, "problems"));

	if (ok && !call->json)
		print_checked(call, answer);
	json_decref(answer);
	control_client_close(&client);
	return ok && !problems ? DONE : FAILED;
}

struct checked {
	struct aaa *aaa; /* NULL: users are not known */
	json_t *answer;
};

static bool knows(void *owner, const char *user)
{
	return aaa_is_anonymous(user) || aaa_find_user(((struct checked *)owner)->aaa, user);
}

static void checked(void *owner, const struct lease_findings *found)
{
	((struct checked *)owner)->answer = leases_checked(found);
}

static void config_told(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	if (fatal)
		fprintf(stderr, "softwire: %s:%u: %s\n", file, line, text);
}

static void users_told(void *owner, const char *file, unsigned line, const char *text)
{
	fprintf(stderr, "softwire: %s:%u: %s\n", file, line, text);
}

static int use_users(struct checked *k, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return failed(path, strerror(errno));
	k->aaa = aaa_new(NULL);
	rc = k->aaa ? aaa_load_users(k->aaa, fd, path, users_told, NULL) : -ENOMEM;
	close(fd);
	return rc ? FAILED : DONE;
}

static int use_pools(struct lease_store *s, const struct concentrator_config *c)
{
	struct lease_pool_config pools[CONCENTRATOR_POOLS_MAX];
	char why[256];

	for (unsigned i = 0; i < c->pool_count; i++)
		pools[i] = c->pools[i].lease;
	return lease_store_set_pools(s, pools, c->pool_count, why) ? failed("pools", why) : DONE;
}

static int use_config(struct lease_store *s, struct checked *k, const char *path)
{
	struct config *config = calloc(1, sizeof(*config));
	int status = FAILED;

	if (config && !config_file_read(path, -1, false, config_told, NULL, config))
		status = use_pools(s, &config->concentrator);
	if (!status && config->concentrator.users_path[0])
		status = use_users(k, config->concentrator.users_path);
	if (!status)
		(void)concentrator_reserve(s, &config->concentrator.local4, k->aaa);
	config_free(config);
	return status;
}

static int check_offline(const struct call *call, const struct options *o)
{
	struct lease_health health = {0};
	struct checked k = {0};
	struct log log;
	struct lease_store *s = open_database(o, &log);
	int status = s ? DONE : FAILED;
	size_t problems = 0;

	if (s && o->config)
		status = use_config(s, &k, o->config);
	if (!status) {
		lease_store_health(s, &health);
		lease_check(s, k.aaa ? knows : NULL, checked, &k);
	}
	if (health.rewritten)
		json_array_append_new(json_object_get(k.answer, "problems"),
			json_string("the database was damaged, and was put together again"));
	problems = json_array_size(json_object_get(k.answer, "problems"));
	if (k.answer)
		status = finish(call, k.answer, print_checked);
	if (s)
		lease_store_close(s);
	if (k.aaa)
		aaa_free(k.aaa);
	return problems ? FAILED : status;
}

static int check(const struct call *call, const struct options *o)
{
	return o->database ? check_offline(call, o) : check_online(call);
}

/* ---- the command line ---- */

static int help(void)
{
	printf("usage: softwire lease export [OPTION...] [FILE]\n"
	       "       softwire lease import [OPTION...] FILE\n"
	       "       softwire lease check [OPTION...]\n\n"
	       "Writes all leases of a concentrator as text, reads such a file, or checks that they are in "
	       "order.\n\n");
	option_help(&lease_options, stdout);
	return DONE;
}

int run_lease(const struct call *call)
{
	const char *words[2] = {NULL, NULL};
	struct options o = {0};
	unsigned count = 0;
	char why[160];

	if (!option_parse(&lease_options, call->argc, call->argv, &o, words, 2, &count, why))
		return command_usage(why, NULL);
	if (o.help)
		return help();
	if (o.merge && o.force)
		return command_usage("--merge and --force: one of them at most", NULL);
	if (o.config && !o.database)
		return command_usage("--config is for --database: the daemon knows its own", NULL);
	if (count && !strcmp(words[0], "export"))
		return export(call, &o, words[1]);
	if (count == 2 && !strcmp(words[0], "import"))
		return import(call, &o, words[1]);
	if (count == 1 && !strcmp(words[0], "check"))
		return check(call, &o);
	return command_usage("lease what? export [FILE], import FILE, or check", NULL);
}
