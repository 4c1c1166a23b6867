/* A graph's database to a file and back. Files are read and written by the caller's thread, without a lock. */
#include "api/handle.h"
#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "graph/graph.h"
#include "store/whole_file.h"

#define PATH_UNITS 32767u
/* Records that are taken before the lock is let go: a millisecond or two. */
#define RECORDS_A_STEP 64u

/* --- export ----------------------------------------------------------------------------------------------------------- */

/* The lock is held, and is let go while a piece is completed and written. */
static peer_status write_piece(struct call *call, struct graph_export *export, struct buffer *out,
                               struct whole_file *file)
{
    peer__call_unlock(call);
    PEER_TRY(peer__graph_export_seal(export, out));
    PEER_TRY(peer__whole_file_write(file, (struct span){out->data, out->size}));
    peer__buffer_clear(out);
    return PEER_OK;
}

static peer_status write_pieces(struct call *call, struct buffer *out, struct whole_file *file)
{
    struct graph_export export;
    PEER_TRY(peer__call_lock(call));
    PEER_TRY(peer__graph_export_begin(call->graph->graph, &export, out));
    PEER_TRY(write_piece(call, &export, out, file));
    while (!export.ended) {
        PEER_TRY(peer__call_lock(call));
        PEER_TRY(peer__graph_export_step(call->graph->graph, &export, out));
        PEER_TRY(write_piece(call, &export, out, file));
    }
    return PEER_OK;
}

static peer_status export_database(struct call *call, const char *path)
{
    struct whole_file file;
    struct buffer out = {0};
    PEER_TRY(peer__whole_file_create(path, &file));
    peer_status status = write_pieces(call, &out, &file);
    peer__buffer_free(&out);
    if (call->locked)
        peer__call_unlock(call);
    if (status < 0) {
        peer__whole_file_close(&file);
        return status;
    }
    return peer__whole_file_publish(&file);
}

peer_status peer_graph_export_database(peer_graph *graph, const char *path)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_text("path", path, PATH_UNITS));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer__call_unlock(&call);
    return peer__leave(&call, export_database(&call, path));
}

/* --- import ----------------------------------------------------------------------------------------------------------- */

struct importing {
    struct call *call;
    struct graph_import import;
    struct archive_reader reader;
    struct whole_file file;
    uint64_t done; /* bytes of the file */
    struct buffer bytes;
};

static peer_status cut_off(void)
{
    return peer__fail(PEER_E_INVALID_DATABASE, "the file is cut off, or has too much at its end");
}

/* Nothing is allocated for what the file only promises. */
static peer_status read_bytes(struct importing *importing, size_t size)
{
    if (size > importing->file.size - importing->done)
        return cut_off();
    peer__buffer_clear(&importing->bytes);
    PEER_TRY(peer__whole_file_read(&importing->file, size, &importing->bytes));
    if (importing->bytes.size != size)
        return cut_off();
    importing->done += size;
    return PEER_OK;
}

static peer_status take_head(struct importing *importing, struct span body)
{
    struct archive_head head;
    PEER_TRY(peer__archive_read_head(body, &head));
    PEER_TRY(peer__call_lock(importing->call));
    PEER_TRY(peer__graph_import_head(importing->call->graph->graph, &head));
    peer__call_unlock(importing->call);
    return PEER_OK;
}

static peer_status take_records(struct importing *importing, struct span body)
{
    struct reader reader = peer__reader(body);
    while (peer__read_left(&reader) > 0) {
        PEER_TRY(peer__call_lock(importing->call));
        struct graph *graph = importing->call->graph->graph;
        PEER_TRY(peer__graph_import_records(graph, &reader, RECORDS_A_STEP));
        if (peer__read_left(&reader) == 0)
            peer__graph_import_progress(graph, &importing->import, importing->done, importing->file.size);
        peer__call_unlock(importing->call);
    }
    return PEER_OK;
}

/* The lock is held, and is let go for the commit, which takes a while after many records. */
static peer_status commit(struct importing *importing, uint64_t record_count)
{
    struct call *call = importing->call;
    struct store *store;
    PEER_TRY(peer__graph_import_end(call->graph->graph, record_count, &store));
    if (store == NULL)
        return PEER_OK;
    peer__call_unlock(call);
    peer_status status = peer__graph_import_commit(store);
    peer__call_lock_for_end(call);
    return status;
}

static peer_status take_end(struct importing *importing, struct span body)
{
    uint64_t record_count;
    PEER_TRY(peer__archive_read_end(body, &record_count));
    if (importing->done != importing->file.size)
        return cut_off();
    PEER_TRY(peer__call_lock(importing->call));
    PEER_TRY(commit(importing, record_count));
    struct graph *graph = importing->call->graph->graph;
    if (graph != NULL) { /* else it was closed by another thread when all was stored */
        peer__graph_import_apply(graph);
        peer__graph_import_progress(graph, &importing->import, importing->done, importing->file.size);
    }
    peer__call_unlock(importing->call);
    return PEER_OK;
}

static peer_status take_piece(struct importing *importing, enum archive_kind kind, struct span body)
{
    switch (kind) {
    case ARCHIVE_HEAD:
        return take_head(importing, body);
    case ARCHIVE_RECORDS:
        return take_records(importing, body);
    case ARCHIVE_END:
        return take_end(importing, body);
    case ARCHIVE_NONE:
        break;
    }
    return PEER_OK;
}

static peer_status read_file(struct importing *importing, const char *path)
{
    size_t size;
    PEER_TRY(peer__whole_file_open(path, &importing->file));
    while ((size = peer__archive_wants(&importing->reader)) > 0) {
        enum archive_kind kind;
        struct span body = {0};
        PEER_TRY(read_bytes(importing, size));
        PEER_TRY(peer__archive_take(&importing->reader, &importing->import.crypto,
                                    (struct span){importing->bytes.data, importing->bytes.size}, &kind, &body));
        PEER_TRY(take_piece(importing, kind, body));
    }
    return PEER_OK;
}

/* All is stored. Should the graph be closed now, nobody is there to be told. */
static void tell(struct importing *importing)
{
    int more = 1;
    while (more && peer__call_lock(importing->call) >= 0 &&
           peer__graph_import_tell(importing->call->graph->graph, &importing->import, &more) >= 0)
        peer__call_unlock(importing->call);
}

/* The graph may have been closed meanwhile, which has dropped the import. */
static void drop(struct call *call, peer_status status)
{
    if (!call->locked)
        peer__call_lock_for_end(call);
    if (call->graph->graph != NULL)
        peer__graph_import_drop(call->graph->graph, status);
}

/* The layers that read the file know what is in it, not its name. */
static peer_status import_failed(const struct kept_error *kept, peer_status status, const char *path)
{
    if (status != PEER_E_INVALID_DATABASE)
        return peer__error_restore(kept, status);
    return peer__fail(status, "%s (importing \"%s\")", kept->line, path);
}

static peer_status import_database(struct call *call, const char *path)
{
    struct importing importing = {.call = call, .file.file = -1};
    PEER_TRY(peer__graph_import_begin(call->graph->graph, &importing.import));
    call->imports = 1;
    peer__call_unlock(call);
    peer_status status = read_file(&importing, path);
    struct kept_error kept = peer__error_keep();
    if (status >= 0)
        tell(&importing);
    else
        drop(call, status);
    peer__graph_import_free(&importing.import);
    peer__buffer_free(&importing.bytes);
    peer__whole_file_close(&importing.file);
    return status < 0 ? import_failed(&kept, status, path) : peer__error_restore(&kept, status);
}

peer_status peer_graph_import_database(peer_graph *graph, const char *path)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_text("path", path, PATH_UNITS));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, import_database(&call, path));
}
