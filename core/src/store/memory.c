#include "store/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "store/memory_index.h"
#include "store/memory_search.h"

struct setting {
    struct setting *next;
    char *name; /* in the same block, as is the value */
    struct span value;
};

/* What the rows of one creator hold. */
#define ACCOUNT_BUCKETS 128u

struct account {
    struct account *next; /* in its bucket */
    uint64_t bytes;
    struct span creator_id; /* in the same block */
};

/* What rollback takes back, newest first; commit frees what is kept here only for that. */
struct undo {
    struct row *added;
    struct row *removed;
    struct setting *setting_added;
    struct setting *setting_removed;
};

struct database {
    struct store store;
    struct list node;
    struct memory_factory *factory;
    char *graph_id;
    char *peer_id;
    char *name;
    atomic_int is_open; /* taken back last, by a close that holds no lock: then the next may have it, or free it */

    struct row_index index;
    struct row *roots[ORDER_COUNT];
    struct setting *settings;
    struct account *accounts[ACCOUNT_BUCKETS];
    uint64_t bytes;
    uint64_t last_seq;
    uint64_t committed_last_seq;

    struct undo *undos;
    size_t undo_count;
    size_t undo_capacity;
    peer_status failed; /* of the first write of the transaction that failed; 0 none */
    int visiting;       /* a visit is under way and may not call us */
};

struct memory_factory {
    struct list databases;
    int full;
    int reserve_given;
    size_t spare; /* of the reserve that was given, what is left while full */
};

/* What a change of one record costs on a full disk: about as much as in the journal of SQLite. */
#define CHANGE_SIZE (32 * 1024)

/* ----------------------------------------------------------------------------------------------- rows, settings */

/* Copies what a span has to `*to`, points it there and moves on. */
static void keep_span(struct span *span, uint8_t **to)
{
    if (span->size != 0)
        memcpy(*to, span->data, span->size);
    span->data = *to;
    *to += span->size;
}

static struct row *row_new(const struct store_row *from, struct account *account, uint64_t seq)
{
    struct row *row = peer__malloc(sizeof(*row) + from->creator_id.size + from->wire.size + from->modifier_id.size +
                                   from->attributes.size);

    if (row == NULL)
        return NULL;
    uint8_t *to = (uint8_t *)(row + 1);
    row->account = account;
    row->record = *from;
    row->record.seq = seq;
    keep_span(&row->record.creator_id, &to);
    keep_span(&row->record.wire, &to);
    keep_span(&row->record.modifier_id, &to);
    keep_span(&row->record.attributes, &to);
    return row;
}

static uint64_t bytes_of(const struct row *row)
{
    return row->record.wire.size + STORE_ROW_OVERHEAD;
}

static size_t bucket_of(struct span creator_id) /* FNV-1a */
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < creator_id.size; i++)
        hash = (hash ^ creator_id.data[i]) * 16777619u;
    return (hash ^ hash >> 16) % ACCOUNT_BUCKETS;
}

static struct account *account_find(const struct database *database, struct span creator_id)
{
    struct account *account = database->accounts[bucket_of(creator_id)];

    while (account != NULL && !peer__span_equal(account->creator_id, creator_id))
        account = account->next;
    return account;
}

/* Accounts stay until the end, so that nothing is allocated while changes are taken back. NULL: memory is out. */
static struct account *account_open(struct database *database, struct span creator_id)
{
    struct account *account = account_find(database, creator_id);
    if (account != NULL)
        return account;
    account = peer__malloc(sizeof(*account) + creator_id.size);
    if (account == NULL)
        return NULL;
    if (creator_id.size != 0)
        memcpy(account + 1, creator_id.data, creator_id.size);
    struct account **bucket = &database->accounts[bucket_of(creator_id)];
    *account = (struct account){.next = *bucket, .creator_id = {(const uint8_t *)(account + 1), creator_id.size}};
    return *bucket = account;
}

static void row_link(struct database *database, struct row *row)
{
    database->bytes += bytes_of(row);
    row->account->bytes += bytes_of(row);
    for (int order = 0; order < ORDER_COUNT; order++)
        peer__tree_insert(&database->roots[order], (enum row_order)order, row);
    peer__index_add(&database->index, row);
}

static void row_unlink(struct database *database, struct row *row)
{
    database->bytes -= bytes_of(row);
    row->account->bytes -= bytes_of(row);
    for (int order = 0; order < ORDER_COUNT; order++)
        peer__tree_remove(&database->roots[order], (enum row_order)order, row);
    peer__index_remove(&database->index, row);
}

static struct setting *setting_new(const char *name, struct span value)
{
    size_t name_size = strlen(name) + 1;
    struct setting *setting = peer__malloc(sizeof(*setting) + name_size + value.size);

    if (setting == NULL)
        return NULL;
    setting->name = (char *)(setting + 1);
    memcpy(setting->name, name, name_size);
    setting->value = (struct span){.data = (uint8_t *)setting->name + name_size, .size = value.size};
    if (value.size != 0)
        memcpy(setting->name + name_size, value.data, value.size);
    return setting;
}

/* Where the setting is linked, or the end of the list. */
static struct setting **setting_place(struct database *database, const char *name)
{
    struct setting **place = &database->settings;

    while (*place != NULL && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}

static void setting_unlink(struct database *database, const struct setting *setting)
{
    struct setting **place = setting_place(database, setting->name);

    assert(*place == setting);
    *place = setting->next;
}

static void setting_link(struct database *database, struct setting *setting)
{
    setting->next = database->settings;
    database->settings = setting;
}

/* ------------------------------------------------------------------------------------------------- transactions */

/* Room for one more undo, so that the change itself cannot fail. */
static peer_status begin(struct database *database)
{
    assert(!database->visiting);
    if (database->failed < 0)
        return peer__fail(database->failed, "an earlier write to \"%s\" failed and is still to be rolled back",
                          database->name);
    if (database->undo_count < database->undo_capacity)
        return PEER_OK;
    size_t capacity = database->undo_capacity != 0 ? database->undo_capacity * 2 : 16;
    struct undo *undos = peer__realloc_array(database->undos, capacity, sizeof(*undos));
    if (undos == NULL)
        return database->failed = peer__out_of_memory();
    database->undos = undos;
    database->undo_capacity = capacity;
    return PEER_OK;
}

static peer_status database_put(struct store *base, const struct store_row *from, uint64_t *seq_out)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    PEER_TRY(begin(database));
    struct account *account = account_open(database, from->creator_id);
    if (account == NULL || peer__index_reserve(&database->index) < 0)
        return database->failed = peer__out_of_memory();
    struct row *row = row_new(from, account, from->seq != 0 ? from->seq : database->last_seq + 1);
    if (row == NULL)
        return database->failed = peer__out_of_memory();
    struct row *replaced = peer__index_find(&database->index, &from->id);
    if (replaced != NULL)
        row_unlink(database, replaced);
    row_link(database, row);
    database->undos[database->undo_count++] = (struct undo){.added = row, .removed = replaced};
    if (from->seq == 0)
        database->last_seq++;
    *seq_out = row->record.seq;
    return PEER_OK;
}

static peer_status database_remove(struct store *base, const peer_guid *id)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    PEER_TRY(begin(database));
    struct row *row = peer__index_find(&database->index, id);
    if (row != NULL) {
        row_unlink(database, row);
        database->undos[database->undo_count++] = (struct undo){.removed = row};
    }
    return PEER_OK;
}

static peer_status database_setting_put(struct store *base, const char *name, struct span value)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    PEER_TRY(begin(database));
    struct setting *setting = setting_new(name, value);
    if (setting == NULL)
        return database->failed = peer__out_of_memory();
    struct setting *replaced = *setting_place(database, name);
    if (replaced != NULL)
        setting_unlink(database, replaced);
    setting_link(database, setting);
    database->undos[database->undo_count++] = (struct undo){.setting_added = setting, .setting_removed = replaced};
    return PEER_OK;
}

static int take_room(struct memory_factory *factory, size_t size)
{
    if (!factory->full)
        return 1;
    if (factory->spare < size)
        return 0;
    factory->spare -= size;
    return 1;
}

static peer_status database_commit(struct store *base)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    if (database->failed < 0)
        return begin(database);
    if (database->undo_count != 0 && !take_room(database->factory, database->undo_count * CHANGE_SIZE))
        return database->failed = peer__fail(PEER_E_DISK_FULL, "no room left to write \"%s\"", database->name);
    for (size_t i = 0; i < database->undo_count; i++) {
        peer__free(database->undos[i].removed);
        peer__free(database->undos[i].setting_removed);
    }
    database->undo_count = 0;
    database->committed_last_seq = database->last_seq;
    return PEER_OK;
}

static void undo(struct database *database, const struct undo *change)
{
    if (change->added != NULL)
        row_unlink(database, change->added);
    if (change->removed != NULL)
        row_link(database, change->removed);
    if (change->setting_added != NULL)
        setting_unlink(database, change->setting_added);
    if (change->setting_removed != NULL)
        setting_link(database, change->setting_removed);
    peer__free(change->added);
    peer__free(change->setting_added);
}

static void database_rollback(struct store *base)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    assert(!database->visiting);
    while (database->undo_count != 0)
        undo(database, &database->undos[--database->undo_count]);
    database->last_seq = database->committed_last_seq;
    database->failed = PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------ reading */

static int visit_row(struct database *database, store_visit visit, void *context, const struct row *row, int want_wire)
{
    struct store_row record = row->record;
    int stop;

    if (!want_wire)
        record.wire = (struct span){0};
    database->visiting = 1;
    stop = visit(context, &record);
    database->visiting = 0;
    return stop;
}

static peer_status database_get(struct store *base, const peer_guid *id, int want_wire, store_visit visit,
                                void *context)
{
    struct database *database = CONTAINER_OF(base, struct database, store);
    const struct row *row = peer__index_find(&database->index, id);

    assert(!database->visiting);
    if (row == NULL)
        return PEER_E_RECORD_NOT_FOUND;
    visit_row(database, visit, context, row, want_wire);
    return PEER_OK;
}

static enum row_order scan_order(const struct store_scan *scan)
{
    if (scan->by_modified)
        return ORDER_MODIFIED;
    return scan->type != NULL ? ORDER_TYPE : ORDER_SEQ;
}

static struct row *scan_first(const struct database *database, const struct store_scan *scan,
                              const struct store_position *position)
{
    enum row_order order = scan_order(scan);
    struct store_row key = {.seq = position->seq, .modified = position->modified, .id = position->id};

    if (scan->type != NULL)
        key.type = *scan->type;
    if (position->started || !scan->by_modified)
        return peer__tree_after(database->roots[order], order, &key);
    key.modified = scan->since;
    return peer__tree_at_least(database->roots[order], order, &key);
}

/* Does the order hold nothing more for the scan from this row on? */
static int is_beyond(const struct store_scan *scan, const struct store_row *row)
{
    if (scan->by_modified)
        return 0;
    return row->seq > scan->seq_max || (scan->type != NULL && !peer__guid_equal(scan->type, &row->type));
}

static int is_wanted(const struct store_scan *scan, const struct store_row *row)
{
    return row->seq <= scan->seq_max && (scan->type == NULL || peer__guid_equal(scan->type, &row->type)) &&
           (scan->creator_id.size == 0 || peer__span_equal(scan->creator_id, row->creator_id));
}

static peer_status database_scan(struct store *base, const struct store_scan *scan, struct store_position *position,
                                 int want_wire, size_t row_max, store_visit visit, void *context, int *end_out)
{
    struct database *database = CONTAINER_OF(base, struct database, store);
    enum row_order order = scan_order(scan);
    const struct row *row = scan_first(database, scan, position);
    int stop = 0;
    int end = 0;

    assert(!database->visiting);
    for (size_t examined = 0; row_max != 0 && examined < STORE_SCAN_EXAMINED_MAX && !stop; examined++) {
        end = row == NULL || is_beyond(scan, &row->record);
        if (end)
            break;
        *position = (struct store_position){row->record.seq, row->record.modified, row->record.id, 1};
        if (is_wanted(scan, &row->record)) {
            stop = visit_row(database, visit, context, row, want_wire);
            row_max--;
        }
        row = peer__tree_after(database->roots[order], order, &row->record);
    }
    *end_out = end;
    return PEER_OK;
}

static struct row *expiring_after(const struct database *database, const struct store_expiry *after)
{
    struct store_row key = {.seq = after->seq, .expires = after->expires};

    return peer__tree_after(database->roots[ORDER_EXPIRES], ORDER_EXPIRES, &key);
}

static peer_status database_expired(struct store *base, const struct store_expiry *after, uint64_t until,
                                    size_t row_max, store_visit visit, void *context)
{
    struct database *database = CONTAINER_OF(base, struct database, store);
    const struct row *row = expiring_after(database, after);

    assert(!database->visiting);
    for (; row_max != 0 && row != NULL && row->record.expires <= until; row_max--) {
        if (visit_row(database, visit, context, row, 0))
            break;
        row = peer__tree_after(database->roots[ORDER_EXPIRES], ORDER_EXPIRES, &row->record);
    }
    return PEER_OK;
}

static peer_status database_next_expiry(struct store *base, uint64_t after, uint64_t *expires_out)
{
    const struct store_expiry place = {after, UINT64_MAX};
    const struct row *row = expiring_after(CONTAINER_OF(base, struct database, store), &place);

    *expires_out = row != NULL ? row->record.expires : UINT64_MAX;
    return PEER_OK;
}

static peer_status database_search(struct store *base, const struct search *tree, struct store_search **search_out)
{
    const struct database *database = CONTAINER_OF(base, struct database, store);

    return peer__memory_search(database->roots[ORDER_SEQ], tree, search_out);
}

static peer_status database_last_seq(struct store *base, uint64_t *seq_out)
{
    *seq_out = CONTAINER_OF(base, struct database, store)->last_seq;
    return PEER_OK;
}

static peer_status database_count(struct store *base, uint64_t *count_out)
{
    *count_out = CONTAINER_OF(base, struct database, store)->index.count;
    return PEER_OK;
}

static peer_status database_bytes(struct store *base, struct span creator_id, uint64_t *bytes_out)
{
    const struct database *database = CONTAINER_OF(base, struct database, store);
    const struct account *account = creator_id.size != 0 ? account_find(database, creator_id) : NULL;

    *bytes_out = account != NULL ? account->bytes : 0;
    if (creator_id.size == 0)
        *bytes_out = database->bytes;
    return PEER_OK;
}

static peer_status database_setting_get(struct store *base, const char *name, struct buffer *value)
{
    const struct setting *setting = *setting_place(CONTAINER_OF(base, struct database, store), name);

    if (setting == NULL)
        return PEER_E_NOT_FOUND;
    peer__buffer_append(value, setting->value.data, setting->value.size);
    return value->failed ? peer__out_of_memory() : PEER_OK;
}

/* -------------------------------------------------------------------------------------------------- open, close */

static struct job *database_maintenance(struct store *base)
{
    (void)base;
    return NULL;
}

static int database_is_behind(struct store *base)
{
    (void)base;
    return 0;
}

static void database_close(struct store *base)
{
    struct database *database = CONTAINER_OF(base, struct database, store);

    database_rollback(base);
    peer__free(database->undos);
    database->undos = NULL;
    database->undo_capacity = 0;
    atomic_store(&database->is_open, 0);
}

static const struct store_operations operations = {
    .put = database_put,
    .remove = database_remove,
    .commit = database_commit,
    .rollback = database_rollback,
    .get = database_get,
    .scan = database_scan,
    .expired = database_expired,
    .search = database_search,
    .next_expiry = database_next_expiry,
    .last_seq = database_last_seq,
    .count = database_count,
    .bytes = database_bytes,
    .setting_put = database_setting_put,
    .setting_get = database_setting_get,
    .maintenance = database_maintenance,
    .is_behind = database_is_behind,
    .close = database_close,
};

static void database_free(struct database *database)
{
    assert(!atomic_load(&database->is_open));
    for (struct row *row; (row = database->roots[ORDER_SEQ]) != NULL;) {
        peer__tree_remove(&database->roots[ORDER_SEQ], ORDER_SEQ, row);
        peer__free(row);
    }
    for (struct setting *setting; (setting = database->settings) != NULL;) {
        database->settings = setting->next;
        peer__free(setting);
    }
    for (size_t i = 0; i < ACCOUNT_BUCKETS; i++) {
        for (struct account *account; (account = database->accounts[i]) != NULL;) {
            database->accounts[i] = account->next;
            peer__free(account);
        }
    }
    peer__index_free(&database->index);
    list_remove(&database->node);
    peer__free(database->graph_id);
    peer__free(database->peer_id);
    peer__free(database->name);
    peer__free(database);
}

static struct database *database_new(struct memory_factory *factory, const char *graph_id, const char *peer_id,
                                     const char *name)
{
    struct database *database = peer__calloc(1, sizeof(*database));

    if (database == NULL)
        return NULL;
    database->store.operations = &operations;
    database->factory = factory;
    database->graph_id = peer__strdup(graph_id);
    database->peer_id = peer__strdup(peer_id);
    database->name = peer__strdup(name);
    list_init(&database->node);
    if (database->graph_id == NULL || database->peer_id == NULL || database->name == NULL) {
        database_free(database);
        return NULL;
    }
    list_append(&factory->databases, &database->node);
    return database;
}

static struct database *database_find(const struct memory_factory *factory, const char *graph_id, const char *peer_id,
                                      const char *name)
{
    LIST_FOR (node, following, &factory->databases) {
        struct database *database = CONTAINER_OF(node, struct database, node);
        if (strcmp(database->graph_id, graph_id) == 0 && strcmp(database->peer_id, peer_id) == 0 &&
            strcmp(database->name, name) == 0)
            return database;
    }
    return NULL;
}

static peer_status in_use(const char *graph_id, const char *peer_id)
{
    return peer__fail(PEER_E_DATABASE_IN_USE, "\"%s/%s\" is open in this process already", graph_id, peer_id);
}

static peer_status factory_open(void *self, const char *graph_id, const char *peer_id, const char *database_name,
                                uint32_t flags, int *is_new_out, struct store **store_out)
{
    struct database *database = database_find(self, graph_id, peer_id, database_name);
    int is_new = database == NULL;

    if (!is_new && atomic_load(&database->is_open))
        return in_use(graph_id, peer_id);
    if (!is_new && (flags & STORE_CREATE) != 0)
        return peer__fail(PEER_E_DATABASE_ALREADY_PRESENT, "\"%s/%s\" is there already", graph_id, peer_id);
    if (is_new)
        database = database_new(self, graph_id, peer_id, database_name);
    if (database == NULL)
        return peer__out_of_memory();
    atomic_store(&database->is_open, 1);
    *is_new_out = is_new;
    *store_out = &database->store;
    return PEER_OK;
}

static peer_status factory_remove(void *self, const char *graph_id, const char *peer_id, const char *database_name)
{
    struct database *database = database_find(self, graph_id, peer_id, database_name);

    if (database == NULL)
        return peer__fail(PEER_E_DATABASE_NOT_PRESENT, "there is no database of \"%s/%s\"", graph_id, peer_id);
    if (atomic_load(&database->is_open))
        return in_use(graph_id, peer_id);
    database_free(database);
    return PEER_OK;
}

static int keep_reserve(void *self)
{
    struct memory_factory *factory = self;

    if (factory->full && factory->reserve_given)
        return 0;
    factory->reserve_given = 0;
    factory->spare = 0;
    return 1;
}

static int give_reserve(void *self)
{
    struct memory_factory *factory = self;

    if (factory->reserve_given)
        return 0;
    factory->reserve_given = 1;
    factory->spare = STORE_RESERVE_SIZE;
    return 1;
}

static int has_room(void *self)
{
    return !((struct memory_factory *)self)->full;
}

peer_status peer__store_memory_factory(struct store_factory *factory_out)
{
    struct memory_factory *factory = peer__calloc(1, sizeof(*factory));

    if (factory == NULL)
        return peer__out_of_memory();
    list_init(&factory->databases);
    *factory_out = (struct store_factory){.open = factory_open,
                                          .remove = factory_remove,
                                          .keep_reserve = keep_reserve,
                                          .give_reserve = give_reserve,
                                          .has_room = has_room,
                                          .self = factory};
    return PEER_OK;
}

void peer__store_memory_factory_free(struct store_factory *factory)
{
    struct memory_factory *self = factory->self;

    if (self != NULL) {
        LIST_FOR (node, following, &self->databases)
            database_free(CONTAINER_OF(node, struct database, node));
    }
    peer__free(self);
    *factory = (struct store_factory){0};
}

void peer__store_memory_set_full(struct store_factory *factory, int full)
{
    struct memory_factory *self = factory->self;

    self->full = full;
}
