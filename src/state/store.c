/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records that are written aside and then switched: see store.h. */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/hash.h"

enum {
	PAGE_GRANULES = STORE_PAGE / STORE_GRANULE,
	CLASSES = PAGE_GRANULES, /* a class is a number of granules; the first of a page is its own */
	GROW_PAGES = 16,
	INTERRUPTIONS = 100,
};
static const uint32_t head_magic = 0x53775374, head_version = 1;
static const uint32_t page_magic = 0x50670000, slot_live = 0x4c697665, slot_free = 0;

struct head {
	uint32_t magic, version;
	uint32_t working, suspect, deaths; /* DEATHS in a row at SUSPECT */
	uint32_t starts;
};

struct page {
	uint32_t kind; /* page_magic and the class, or 0 */
	uint32_t next; /* of a page without a class */
};

struct slot {
	uint32_t state;
	uint32_t id; /* of a free one: the next */
	uint32_t sequence;
	uint32_t len;
	uint32_t checksum;
	uint8_t data[];
};
_Static_assert(offsetof(struct slot, data) == STORE_HEAD, "what the header promises");

struct store {
	uint8_t *map;
	size_t max;
	int fd;
	uint32_t pages;         /* of the file, as far as they are used */
	uint32_t free_pages;    /* the first, or 0 */
	uint32_t free[CLASSES]; /* the first free slot of each class, in granules, or 0 */
	uint32_t sequence;
	uint32_t records;
};

/* Keeps the compiler from changing the order of what is written before and after. */
static void order(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void set(uint32_t *word, uint32_t value)
{
	order();
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
	order();
}

static struct head *head_of(const struct store *s)
{
	return (struct head *)(void *)s->map;
}

static struct page *page_at(const struct store *s, uint32_t page)
{
	return (struct page *)(void *)(s->map + (size_t)page * STORE_PAGE);
}

static struct slot *slot_at(const struct store *s, uint32_t at)
{
	return (struct slot *)(void *)(s->map + (size_t)at * STORE_GRANULE);
}

/* The class of a page; 0: it has none, or nothing sensible is written there. */
static unsigned class_of(const struct store *s, uint32_t page)
{
	uint32_t class = page_at(s, page)->kind - page_magic;

	return class < CLASSES ? class : 0;
}

static uint32_t checksum_of(const struct slot *slot)
{
	return hash_bytes(slot->data, slot->len, (uint64_t)slot->id << 32 | slot->sequence);
}

/* ---- free places ---- */

static void give_slot(struct store *s, uint32_t at, unsigned class)
{
	struct slot *slot = slot_at(s, at);

	set(&slot->state, slot_free);
	slot->id = s->free[class];
	s->free[class] = at;
}

static void give_page(struct store *s, uint32_t page)
{
	struct page *p = page_at(s, page);

	set(&p->kind, 0);
	p->next = s->free_pages;
	s->free_pages = page;
}

static int reserve(struct store *s, uint32_t pages)
{
	int tries = INTERRUPTIONS;

	while (fallocate(s->fd, 0, (off_t)s->pages * STORE_PAGE, (off_t)pages * STORE_PAGE))
		if (errno != EINTR || !tries--)
			return errno == ENOSPC ? -ENOMEM : -errno;
	return 0;
}

static int grow(struct store *s)
{
	uint32_t more = s->pages / 32 > GROW_PAGES ? s->pages / 32 : GROW_PAGES,
		 most = (uint32_t)(s->max / STORE_PAGE) - s->pages;
	uint32_t first = s->pages;
	int r;

	if (more > most)
		more = most;
	if (!more)
		return -ENOSPC;
	r = reserve(s, more);
	if (r)
		return r;
	s->pages += more;
	for (uint32_t page = s->pages; page-- > first;)
		give_page(s, page);
	return 0;
}

/* A page becomes one of CLASS. Its slots are free before it says so. */
static int dress_page(struct store *s, unsigned class)
{
	int r = s->free_pages ? 0 : grow(s);
	uint32_t page = s->free_pages;

	if (r)
		return r;
	s->free_pages = page_at(s, page)->next;
	for (unsigned n = (PAGE_GRANULES - 1) / class; n-- > 0;)
		give_slot(s, page * PAGE_GRANULES + 1 + n * class, class);
	set(&page_at(s, page)->kind, page_magic + class);
	return 0;
}

static int take_slot(struct store *s, unsigned class, uint32_t *ret)
{
	int r = s->free[class] ? 0 : dress_page(s, class);

	if (r)
		return r;
	*ret = s->free[class];
	s->free[class] = slot_at(s, *ret)->id;
	return 0;
}

/* ---- what is there ---- */

struct found {
	struct store *s;
	struct hash by_id;
	struct store_found *told;
};

static bool item_match(const void *item, const void *key)
{
	return ((const struct slot *)item)->id == *(const uint32_t *)key;
}

static bool is_whole(const struct slot *slot, unsigned class)
{
	return slot->id && slot->len <= class * STORE_GRANULE - STORE_HEAD &&
	       slot->checksum == checksum_of(slot);
}

/* A record, unless a newer one of the same id is known. The older one of two goes. 0 or -ENOMEM. */
static int look_at_record(struct found *f, uint32_t at)
{
	struct slot *slot = slot_at(f->s, at),
		    *other = hash_find(&f->by_id, hash_u64(slot->id, 0), item_match, &slot->id);
	bool newer = other && (int32_t)(slot->sequence - other->sequence) > 0;

	if (other && !newer) {
		set(&slot->state, slot_free);
		return 0;
	}
	if (other) {
		hash_remove(&f->by_id, hash_u64(slot->id, 0), other);
		set(&other->state, slot_free);
	}
	if ((int32_t)(slot->sequence - f->s->sequence) > 0)
		f->s->sequence = slot->sequence;
	return hash_insert(&f->by_id, hash_u64(slot->id, 0), slot);
}

static int look_at_page(struct found *f, uint32_t page)
{
	unsigned class = class_of(f->s, page);
	int r = 0;

	for (unsigned g = 1; class && !r && g + class <= PAGE_GRANULES; g += class) {
		uint32_t at = page * PAGE_GRANULES + g;
		struct slot *slot = slot_at(f->s, at);

		if (slot->state == slot_live && is_whole(slot, class)) {
			r = look_at_record(f, at);
		} else if (slot->state != slot_free) {
			f->told->damaged++;
			set(&slot->state, slot_free);
		}
	}
	if (!class && page_at(f->s, page)->kind)
		f->told->damaged++;
	return r;
}

/* Free places, and whole pages that are free. */
static void collect_page(struct store *s, uint32_t page)
{
	unsigned class = class_of(s, page), live = 0;

	for (unsigned g = 1; class && g + class <= PAGE_GRANULES; g += class)
		live += slot_at(s, page * PAGE_GRANULES + g)->state == slot_live;
	s->records += live;
	if (!live) {
		give_page(s, page);
		return;
	}
	for (unsigned g = 1; g + class <= PAGE_GRANULES; g += class)
		if (slot_at(s, page * PAGE_GRANULES + g)->state != slot_live)
			give_slot(s, page * PAGE_GRANULES + g, class);
}

static int look(struct store *s, struct store_found *told)
{
	struct found f = {.s = s, .told = told};
	int r = 0;

	for (uint32_t page = 1; page < s->pages && !r; page++)
		r = look_at_page(&f, page);
	hash_free(&f.by_id);
	for (uint32_t page = s->pages; page-- > 1 && !r;)
		collect_page(s, page);
	told->records = s->records;
	return r;
}

/* ---- opening ---- */

static void forget_all(struct store *s)
{
	s->free_pages = s->records = 0;
	memset(s->free, 0, sizeof(s->free));
	for (uint32_t page = s->pages; page-- > 1;)
		give_page(s, page);
}

static void begin(struct store *s)
{
	struct head *h = head_of(s);

	set(&h->magic, 0);
	forget_all(s);
	*h = (struct head){.version = head_version, .starts = 1};
	set(&h->magic, head_magic);
}

/* Who has died, and at what? */
static void count_deaths(struct head *h)
{
	h->starts++;
	if (!h->working) {
		h->suspect = h->deaths = 0;
	} else if (h->working == h->suspect) {
		h->deaths++;
	} else {
		h->suspect = h->working;
		h->deaths = 1;
	}
	set(&h->working, 0);
}

static int examine(struct store *s, struct store_found *told)
{
	const struct head *h = head_of(s);

	if (h->magic == head_magic && h->version == head_version) {
		count_deaths(head_of(s));
		return look(s, told);
	}
	told->foreign = !told->fresh;
	begin(s);
	return 0;
}

static int lock_file(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (!fcntl(fd, F_SETLK, &whole))
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

static int map_file(struct store *s, struct store_found *told)
{
	struct stat st;
	void *map;
	int r;

	if (fstat(s->fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	r = lock_file(s->fd);
	if (r)
		return r;
	map = mmap(NULL, s->max, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, s->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	s->map = map;
	s->pages = (uint32_t)((size_t)st.st_size < s->max ? (size_t)st.st_size / STORE_PAGE
							  : s->max / STORE_PAGE);
	told->fresh = !s->pages;
	if (s->pages)
		return 0;
	r = reserve(s, 1);
	if (!r)
		s->pages = 1;
	return r;
}

int store_open(int fd, size_t max, struct store **ret, struct store_found *ret_found)
{
	struct store *s = calloc(1, sizeof(*s));
	struct store_found told = {0};
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = fd;
	s->max = max / STORE_PAGE * STORE_PAGE;
	r = s->max ? map_file(s, &told) : -EINVAL;
	if (!r)
		r = examine(s, &told);
	if (r) {
		store_close(s);
		return r;
	}
	*ret = s;
	*ret_found = told;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->map)
		munmap(s->map, s->max);
	free(s);
}

/* ---- records ---- */

int store_put(struct store *s, uint32_t *at, uint32_t id, const void *data, size_t len)
{
	size_t granules = (len + STORE_HEAD + STORE_GRANULE - 1) / STORE_GRANULE;
	uint32_t place = 0;
	struct slot *slot;
	int r = len > STORE_RECORD_MAX ? -EMSGSIZE : take_slot(s, (unsigned)granules, &place);

	if (r) {
		store_remove(s, at);
		return r;
	}
	slot = slot_at(s, place);
	slot->id = id;
	slot->sequence = ++s->sequence;
	slot->len = (uint32_t)len;
	if (len)
		memcpy(slot->data, data, len);
	slot->checksum = checksum_of(slot);
	set(&slot->state, slot_live);
	s->records++;
	store_remove(s, at);
	*at = place;
	return 0;
}

void store_remove(struct store *s, uint32_t *at)
{
	if (!*at)
		return;
	give_slot(s, *at, class_of(s, *at / PAGE_GRANULES));
	s->records--;
	*at = 0;
}

bool store_next(const struct store *s, uint32_t *cursor, struct store_record *ret)
{
	uint32_t at = *cursor < PAGE_GRANULES ? PAGE_GRANULES : *cursor, end = s->pages * PAGE_GRANULES;

	while (at < end) {
		uint32_t page = at / PAGE_GRANULES, g = at % PAGE_GRANULES;
		unsigned class = class_of(s, page);
		const struct slot *slot;

		if (!g)
			g = 1;
		if (!class || g + class > PAGE_GRANULES) {
			at = (page + 1) * PAGE_GRANULES;
			continue;
		}
		slot = slot_at(s, page * PAGE_GRANULES + g);
		at = page * PAGE_GRANULES + g + class;
		if (slot->state != slot_live)
			continue;
		*ret = (struct store_record){
			.at = page * PAGE_GRANULES + g, .id = slot->id, .data = slot->data, .len = slot->len};
		*cursor = at;
		return true;
	}
	*cursor = end;
	return false;
}

void store_clear(struct store *s)
{
	forget_all(s);
}

/* ---- crash loops ---- */

void store_work(struct store *s, uint32_t id)
{
	set(&head_of(s)->working, id);
}

bool store_is_poison(const struct store *s, uint32_t id)
{
	const struct head *h = head_of(s);

	return h->suspect == id && h->deaths >= STORE_POISON;
}

uint32_t store_starts(const struct store *s)
{
	return head_of(s)->starts;
}

void store_settle(struct store *s)
{
	set(&head_of(s)->starts, 0);
}

struct store_use store_use(const struct store *s)
{
	return (struct store_use){.records = s->records, .bytes = (size_t)s->pages * STORE_PAGE};
}
