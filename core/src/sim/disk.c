/*
 * A host's disk: stores in memory or in SQLite, seen through a thin store that tells the trace what is written, writes
 * nothing while the host dies, and knows a full disk. What is not committed at the time of death is lost, as with a real one.
 */
#include "base/error.h"
#include "base/memory.h"
#include "sim/internal.h"

struct disk_store {
    struct store store;
    struct store *medium;
    struct sim_host *host;
    size_t changes;     /* since the last commit */
    peer_status failed; /* the commit for want of room, until rollback; 0 none */
};

/* What a change of one record costs on a full disk: about as much as in the journal of SQLite. */
#define CHANGE_SIZE (32 * 1024)

static struct store *medium_of(struct store *store)
{
    return CONTAINER_OF(store, struct disk_store, store)->medium;
}

static struct sim_host *host_of(struct store *store)
{
    return CONTAINER_OF(store, struct disk_store, store)->host;
}

static peer_status no_room(struct sim_host *host)
{
    return peer__fail(PEER_E_DISK_FULL, "the disk of the host \"%s\" is full", host->name);
}

/* Begins a change. */
static peer_status change(struct store *store)
{
    struct disk_store *disk = CONTAINER_OF(store, struct disk_store, store);
    if (disk->host->dying)
        return peer__fail(E_ACCESSDENIED, "the host has crashed");
    if (disk->failed < 0)
        return no_room(disk->host);
    disk->changes++;
    return PEER_OK;
}

static int take_room(struct sim_disk *disk, size_t size)
{
    if (!disk->is_full)
        return 1;
    if (disk->spare < size)
        return 0;
    disk->spare -= size;
    return 1;
}

static peer_status put(struct store *store, const struct store_row *row, uint64_t *seq_out)
{
    struct store *medium = medium_of(store);
    PEER_TRY(change(store));
    peer__sim_trace_row(host_of(store)->sim, host_of(store), row);
    return medium->operations->put(medium, row, seq_out);
}

static peer_status remove_row(struct store *store, const peer_guid *id)
{
    struct store *medium = medium_of(store);
    PEER_TRY(change(store));
    peer__sim_trace_removed(host_of(store)->sim, host_of(store), id);
    return medium->operations->remove(medium, id);
}

static peer_status commit(struct store *store)
{
    struct disk_store *disk = CONTAINER_OF(store, struct disk_store, store);
    struct sim_host *host = disk->host;
    peer_status status;

    if (host->dying)
        return peer__fail(E_ACCESSDENIED, "the host has crashed");
    if (disk->failed < 0 || (disk->changes != 0 && !take_room(&host->disk, disk->changes * CHANGE_SIZE)))
        status = disk->failed = no_room(host);
    else
        status = disk->medium->operations->commit(disk->medium);
    if (status < 0)
        peer__sim_trace_host(host->sim, host, "commit failed");
    else
        disk->changes = 0;
    return status;
}

static void rollback(struct store *store)
{
    struct disk_store *disk = CONTAINER_OF(store, struct disk_store, store);
    disk->medium->operations->rollback(disk->medium);
    disk->changes = 0;
    disk->failed = PEER_OK;
}

static peer_status get(struct store *store, const peer_guid *id, int want_wire, store_visit visit, void *context)
{
    struct store *medium = medium_of(store);
    return medium->operations->get(medium, id, want_wire, visit, context);
}

static peer_status scan(struct store *store, const struct store_scan *what, struct store_position *position,
                        int want_wire, size_t row_max, store_visit visit, void *context, int *end_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->scan(medium, what, position, want_wire, row_max, visit, context, end_out);
}

static peer_status expired(struct store *store, const struct store_expiry *after, uint64_t until, size_t row_max,
                           store_visit visit, void *context)
{
    struct store *medium = medium_of(store);
    return medium->operations->expired(medium, after, until, row_max, visit, context);
}

static peer_status search(struct store *store, const struct search *tree, struct store_search **search_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->search(medium, tree, search_out);
}

static peer_status next_expiry(struct store *store, uint64_t after, uint64_t *expires_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->next_expiry(medium, after, expires_out);
}

static peer_status last_seq(struct store *store, uint64_t *seq_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->last_seq(medium, seq_out);
}

static peer_status count(struct store *store, uint64_t *count_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->count(medium, count_out);
}

static peer_status bytes(struct store *store, struct span creator_id, uint64_t *bytes_out)
{
    struct store *medium = medium_of(store);
    return medium->operations->bytes(medium, creator_id, bytes_out);
}

static peer_status setting_put(struct store *store, const char *name, struct span value)
{
    struct store *medium = medium_of(store);
    PEER_TRY(change(store));
    return medium->operations->setting_put(medium, name, value);
}

static peer_status setting_get(struct store *store, const char *name, struct buffer *value)
{
    struct store *medium = medium_of(store);
    return medium->operations->setting_get(medium, name, value);
}

static struct job *maintenance(struct store *store)
{
    struct store *medium = medium_of(store);
    return medium->operations->maintenance(medium);
}

static int is_behind(struct store *store)
{
    return host_of(store)->disk_is_behind;
}

static void close_store(struct store *store)
{
    struct store *medium = medium_of(store);
    medium->operations->close(medium);
    peer__free(CONTAINER_OF(store, struct disk_store, store));
}

static const struct store_operations operations = {
    .put = put,
    .remove = remove_row,
    .commit = commit,
    .rollback = rollback,
    .get = get,
    .scan = scan,
    .expired = expired,
    .search = search,
    .next_expiry = next_expiry,
    .last_seq = last_seq,
    .count = count,
    .bytes = bytes,
    .setting_put = setting_put,
    .setting_get = setting_get,
    .maintenance = maintenance,
    .is_behind = is_behind,
    .close = close_store,
};

static peer_status open_store(void *self, const char *graph_id, const char *peer_id, const char *database_name,
                              uint32_t flags, int *is_new_out, struct store **store_out)
{
    struct sim_host *host = self;
    struct disk_store *disk = peer__calloc(1, sizeof(*disk));
    if (disk == NULL)
        return peer__out_of_memory();
    peer_status status =
        host->medium.open(host->medium.self, graph_id, peer_id, database_name, flags, is_new_out, &disk->medium);
    if (status < 0) {
        peer__free(disk);
        return status;
    }
    disk->store.operations = &operations;
    disk->host = host;
    *store_out = &disk->store;
    return status;
}

static peer_status remove_store(void *self, const char *graph_id, const char *peer_id, const char *database_name)
{
    struct sim_host *host = self;
    return host->medium.remove(host->medium.self, graph_id, peer_id, database_name);
}

static int keep_reserve(void *self)
{
    struct sim_host *host = self;

    if (host->disk.is_full && host->disk.reserve_given)
        return 0;
    host->disk.reserve_given = 0;
    host->disk.spare = 0;
    return 1;
}

static int give_reserve(void *self)
{
    struct sim_host *host = self;

    if (host->disk.reserve_given)
        return 0;
    host->disk.reserve_given = 1;
    host->disk.spare = STORE_RESERVE_SIZE;
    return 1;
}

static int has_room(void *self)
{
    return !((struct sim_host *)self)->disk.is_full;
}

struct store_factory peer__sim_disk(struct sim_host *host)
{
    return (struct store_factory){.open = open_store,
                                  .remove = remove_store,
                                  .keep_reserve = keep_reserve,
                                  .give_reserve = give_reserve,
                                  .has_room = has_room,
                                  .self = host};
}
